/** Ends the process it runs in, or keeps it busy where no time limit reaches: V8 cannot be stopped in the middle of these. */
import { definePlugin, s } from '@tollgate/sdk';

const MIB = 2 ** 20;

export default definePlugin({
  name: 'ending',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { entities: ['keyauth_credentials'] },

  async access(kong) {
    const does = kong.request.getHeader('x-do');
    switch (does) {
      case 'split':
        'ab'.repeat(128 * MIB).split('');
        break;
      case 'map':
        new Array(1e9).map((value) => value);
        break;
      case 'list':
        Array.from({ length: 2 ** 26 }, (_, at) => ({ at }));
        break;
      case 'look up, then split':
        await kong.entities.find('keyauth_credentials', 'key', 'a');
        'ab'.repeat(128 * MIB).split('');
        break;
      case 'look up':
        await kong.entities.find('keyauth_credentials', 'key', 'slow');
        break;
      case 'count':
        await kong.counters.take([{ key: 'innocent', limit: 100, expiresAtMs: 1e15 }]);
        await kong.entities.find('keyauth_credentials', 'key', 'slow');
        break;
    }
    kong.response.setHeader('x-done', String(does));
  },
});
