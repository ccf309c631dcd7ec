/** Configuration of key-auth: contract/plugins.md section 1. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  key_names: s.array(s.headerName(), {
    required: true,
    default: ['apikey'],
    description:
      'Names of the header, query argument or body field that holds the key; the first found counts.',
  }),
  hide_credentials: s.boolean({
    required: true,
    default: false,
    description: 'Take the key out of the request before it goes to the service.',
  }),
  anonymous: s.string({
    description: 'Id or username of the consumer that requests without a valid key act as, instead of 401.',
  }),
  key_in_header: s.boolean({ required: true, default: true, description: 'Look into headers.' }),
  key_in_query: s.boolean({ required: true, default: true, description: 'Look into the query.' }),
  key_in_body: s.boolean({
    required: true,
    default: false,
    description:
      'Look into form, JSON and multipart bodies too; the body is then read whole before it is forwarded.',
  }),
  run_on_preflight: s.boolean({
    required: true,
    default: true,
    description: 'Ask `OPTIONS` requests for a key as well.',
  }),
  realm: s.string({ description: 'Shown to refused clients in `WWW-Authenticate`.' }),
});
