/** Does with traces what a plugin of somebody else's might. */
import { definePlugin, s } from '@tollgate/sdk';

const TARGET = {
  endpoint: 'http://127.0.0.1:1/v1/traces',
  headers: {},
  resourceAttributes: {},
  timeoutMs: 1000,
  maxBatchSize: 1,
  maxDelayMs: 1,
  maxQueueSize: 1,
  maxRetryMs: 1,
  retryDelayMs: 1,
  maxRetryDelayMs: 1,
};

const TARGETS = { traces: TARGET };

export default definePlugin({
  name: 'tracing',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { traceExport: true },

  async access(kong) {
    const { tracing } = kong;
    switch (kong.request.getHeader('x-do')) {
      case 'look':
        kong.response.exit(200, { context: tracing.getContext(), isRecording: tracing.isRecording() });
        break;
      case 'join':
        tracing.join({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), isSampled: true });
        break;
      case 'join nonsense':
        tracing.join({ traceId: 'A'.repeat(32), isSampled: true });
        break;
      case 'sample':
        kong.response.exit(200, {
          always: tracing.isSampledAt('f'.repeat(32), 1),
          never: tracing.isSampledAt('f'.repeat(32), 0),
          byNode: tracing.isSampledAt('f'.repeat(32)),
        });
        break;
      case 'throw later':
        await Promise.resolve();
        throw new Error('broken\n["forged",0,0,""]');
      case 'throw':
        throw new Error('broken');
    }
  },

  log(kong) {
    kong.tracing.export(TARGETS);
  },
});
