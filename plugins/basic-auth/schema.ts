/** Configuration of basic-auth: contract/plugins.md section 6. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  anonymous: s.string({
    description:
      'Id or username of the consumer that requests without valid credentials act as, instead of 401.',
  }),
  hide_credentials: s.boolean({
    required: true,
    default: false,
    description: 'Take the header that was looked at out of the request before it goes to the service.',
  }),
  realm: s.string({
    required: true,
    default: 'service',
    description: 'Shown to refused clients in `WWW-Authenticate`.',
  }),
});
