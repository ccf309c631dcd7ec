/** Does not stop, in the ways a handler can. */
import { definePlugin, s } from '@tollgate/sdk';

const WINDOW = { key: 'window', limit: 10, expiresAtMs: 1e15 };

/** Not a constant to the linter. */
const isEndless = Date.now() > 0;

export default definePlugin({
  name: 'looping',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { entities: ['keyauth_credentials'] },

  async access(kong) {
    const does = kong.request.getHeader('x-do');
    switch (does) {
      case 'loop':
        spin();
        break;
      case 'loop after counting':
        await kong.counters.take([WINDOW]);
        spin();
        break;
      case 'count':
        await kong.counters.take([WINDOW]);
        break;
      case 'loop after a lookup':
        await kong.entities.find('keyauth_credentials', 'key', 'a');
        spin();
        break;
      case 'look up':
        await kong.entities.find('keyauth_credentials', 'key', 'a');
        break;
      case 'look up twice':
        await kong.entities.find('keyauth_credentials', 'key', 'b');
        await kong.entities.find('keyauth_credentials', 'key', 'c');
        break;
      case 'loop in microtasks':
        while (isEndless) await undefined;
        break;
      case 'never answer':
        await new Promise(() => {});
        break;
    }
    kong.response.setHeader('x-done', String(does));
  },

  async log(kong) {
    const does = kong.request.getHeader('x-do');
    if (does === 'loop') spin();
    if (does === 'never answer') await new Promise(() => {});
    kong.log.info('logged');
  },
});

function spin(): never {
  for (;;);
}
