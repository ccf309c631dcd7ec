/** my-plugin: tells the service and the client something that the operator has configured. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'my-plugin',
  version: '0.1.0',
  priority: 500,
  schema: s.config({
    header: s.headerName({ required: true, default: 'X-Greeting', description: 'The header to set.' }),
    text: s.string({ required: true, description: 'What it says.' }),
  }),

  access(kong, config) {
    if (kong.request.getHeader(config.header) !== undefined) {
      return kong.response.error(400, `clients must not send ${config.header}`);
    }
    kong.service.request.setHeader(config.header, config.text);
  },

  response(kong, config) {
    kong.response.setHeader(config.header, config.text);
  },
});
