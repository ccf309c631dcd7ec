/** Configuration of jwt: contract/plugins.md section 7. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    uri_param_names: s.set(s.string(), { required: true, default: ['jwt'] }),
    cookie_names: s.set(s.string(), { required: true, default: [] }),
    key_claim_name: s.string({ required: true, default: 'iss' }),
    secret_is_base64: s.boolean({ required: true, default: false }),
    claims_to_verify: s.set(s.enum(['exp', 'nbf'])),
    anonymous: s.string(),
    run_on_preflight: s.boolean({ required: true, default: true }),
    maximum_expiration: s.number({ required: true, default: 0, between: [0, 31536000] }),
    header_names: s.set(s.string(), { required: true, default: ['authorization'] }),
    realm: s.string(),
  },
  {
    checks: [s.conditional('maximum_expiration', { gt: 0 }, 'claims_to_verify', { contains: 'exp' })],
  },
);
