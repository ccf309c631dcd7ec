/** The example of sdk/README.md: refuses requests without a header, and marks the answers of those that have it. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'require-header',
  version: '1.0.0',
  priority: 800,
  schema: s.config({
    header: s.headerName({ required: true }),
    status: s.integer({ required: true, default: 400, between: [400, 499] }),
  }),
  metrics: {
    require_header_refusals_total: {
      type: 'counter',
      help: 'Requests refused for want of a header',
      labels: ['header'],
    },
  },

  access(kong, config) {
    if (kong.request.getHeader(config.header) !== undefined) return;
    kong.metrics.increment('require_header_refusals_total', [config.header]);
    return kong.response.error(config.status, `header ${config.header} is missing`);
  },

  response(kong, config) {
    if (kong.response.getSource() === 'service') kong.response.setHeader('X-Required', config.header);
  },
});
