/** Configuration of acl: contract/plugins.md section 5. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    allow: s.array(s.string(), { description: 'Groups one of which the consumer has to be in.' }),
    deny: s.array(s.string(), { description: 'Groups none of which the consumer may be in.' }),
    hide_groups_header: s.boolean({
      required: true,
      default: false,
      description: 'Do not tell the service of the groups.',
    }),
    always_use_authenticated_groups: s.boolean({
      required: true,
      default: false,
      description: 'Prefer groups of the request to those of the consumer, see below.',
    }),
  },
  { checks: [s.onlyOneOf('allow', 'deny'), s.atLeastOneOf('allow', 'deny')] },
);
