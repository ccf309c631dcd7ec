/** Configuration of ip-restriction: contract/plugins.md section 11. */
import { s } from '@tollgate/sdk';

export const schema = s.config(
  {
    allow: s.array(s.ipOrCidr(), {
      description:
        "Addresses and CIDR ranges, of IPv4 or IPv6, one of which has to hold the client's address.",
    }),
    deny: s.array(s.ipOrCidr(), {
      description: 'Those that none may hold; what is denied is not allowed again.',
    }),
    status: s.number({ description: 'Of the refusal; 403 when not given.' }),
    message: s.string({ description: 'Of the refusal; `IP address not allowed: …` when not given.' }),
  },
  { checks: [s.atLeastOneOf('allow', 'deny')] },
);
