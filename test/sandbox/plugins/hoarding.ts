/** Allocates without end, at once or after it has waited for the host. */
import { definePlugin, s } from '@tollgate/sdk';

const hoard: unknown[] = [];

export default definePlugin({
  name: 'hoarding',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { entities: ['keyauth_credentials'] },

  async access(kong) {
    const does = kong.request.getHeader('x-do');
    if (does === 'wait') await kong.entities.find('keyauth_credentials', 'key', 'slow');
    if (does === 'hoard later') await kong.counters.take([{ key: 'a', limit: 1, expiresAtMs: 1e15 }]);
    if (does === 'hoard small') for (;;) hoard.push([does]);
    if (does?.startsWith('hoard')) for (;;) hoard.push(new Array(10_000).fill(does));
    kong.response.setHeader('x-done', String(does));
  },
});
