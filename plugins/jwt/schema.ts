/** Configuration of jwt: contract/plugins.md section 7. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    uri_param_names: s.set(s.string(), {
      required: true,
      default: ['jwt'],
      description: 'Query arguments that may hold a token.',
    }),
    cookie_names: s.set(s.string(), { required: true, default: [], description: 'Cookies that may.' }),
    key_claim_name: s.string({
      required: true,
      default: 'iss',
      description: 'Claim, or member of the header, that names the key.',
    }),
    secret_is_base64: s.boolean({
      required: true,
      default: false,
      description: 'Stored secrets and public keys are base64 of what to verify with.',
    }),
    claims_to_verify: s.set(s.enum(['exp', 'nbf']), {
      description: 'Which have to be there and hold, without leeway.',
    }),
    anonymous: s.string({
      description:
        'Id or username of the consumer that requests without a good token act as, instead of 401.',
    }),
    run_on_preflight: s.boolean({
      required: true,
      default: true,
      description: 'Ask `OPTIONS` requests for a token as well.',
    }),
    maximum_expiration: s.number({
      required: true,
      default: 0,
      between: [0, 31536000],
      description:
        'Seconds from now that `exp` may lie ahead at most; needs `exp` in `claims_to_verify`. 0 is any.',
    }),
    header_names: s.set(s.string(), {
      required: true,
      default: ['authorization'],
      description: 'Headers that may hold a token, behind the word `Bearer`.',
    }),
    realm: s.string({ description: 'Shown to refused clients in `WWW-Authenticate`.' }),
  },
  {
    checks: [s.conditional('maximum_expiration', { gt: 0 }, 'claims_to_verify', { contains: 'exp' })],
  },
);
