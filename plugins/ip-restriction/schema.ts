/** Configuration of ip-restriction: contract/plugins.md section 11. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    allow: s.array(s.ipOrCidr()),
    deny: s.array(s.ipOrCidr()),
    status: s.number(),
    message: s.string(),
  },
  { checks: [s.atLeastOneOf('allow', 'deny')] },
);
