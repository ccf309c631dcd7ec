/** Configuration of key-auth: contract/plugins.md section 1. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  key_names: s.array(s.headerName(), { required: true, default: ['apikey'] }),
  hide_credentials: s.boolean({ required: true, default: false }),
  anonymous: s.string(),
  key_in_header: s.boolean({ required: true, default: true }),
  key_in_query: s.boolean({ required: true, default: true }),
  key_in_body: s.boolean({ required: true, default: false }),
  run_on_preflight: s.boolean({ required: true, default: true }),
  realm: s.string(),
});
