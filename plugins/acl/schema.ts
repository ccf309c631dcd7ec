/** Configuration of acl: contract/plugins.md section 5. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    allow: s.array(s.string()),
    deny: s.array(s.string()),
    hide_groups_header: s.boolean({ required: true, default: false }),
    always_use_authenticated_groups: s.boolean({ required: true, default: false }),
  },
  { checks: [s.onlyOneOf('allow', 'deny'), s.atLeastOneOf('allow', 'deny')] },
);
