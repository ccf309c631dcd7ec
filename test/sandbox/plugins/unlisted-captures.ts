/** Asks what the route's pattern has matched without having said that it would. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'unlisted-captures',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  access(kong) {
    return kong.response.exit(200, { captures: kong.request.getUriCaptures() });
  },
});
