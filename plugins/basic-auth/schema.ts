/** Configuration of basic-auth: contract/plugins.md section 6. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  anonymous: s.string(),
  hide_credentials: s.boolean({ required: true, default: false }),
  realm: s.string({ required: true, default: 'service' }),
});
