/** Asks the host for more than it may have. */
import { definePlugin, s } from '@tollgate/sdk';

const WINDOW = { key: 'window', limit: 10, expiresAtMs: 1e15 };

/** Not a constant to the linter. */
const isEndless = Date.now() > 0;

export default definePlugin({
  name: 'asking',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { entities: ['keyauth_credentials'] },

  async access(kong) {
    switch (kong.request.getHeader('x-do')) {
      case 'count without end':
        while (isEndless) await kong.counters.take([WINDOW]);
        break;
      case 'look up without end':
        for (let at = 0; isEndless; at++) await kong.entities.find('keyauth_credentials', 'key', String(at));
        break;
      case 'ask for a million rows at once':
        await Promise.all(
          Array.from({ length: 20_000 }, (_, at) =>
            kong.entities.find('keyauth_credentials', 'key', `${at}`),
          ),
        );
        break;
      case 'read the body':
        await kong.request.getRawBody();
        break;
      case 'look up a foreign entity':
        await kong.entities.find('basicauth_credentials', 'username', 'a');
        break;
      case 'hash without asking':
        await kong.crypto.digest('sha1', 'a');
        break;
      case 'list a foreign entity':
        await kong.entities.list('acls', 'consumer', 'a');
        break;
      case 'look up __proto__':
        await kong.entities.find('__proto__', 'id', 'a');
        break;
      case 'look up a consumer':
        kong.response.setHeader('x-found', (await kong.client.loadConsumer('somebody'))?.id ?? '');
        break;
      case 'count in too many windows':
        await kong.counters.take(new Array(17).fill(WINDOW));
        break;
      case 'count garbage':
        await kong.counters.take([{ key: 'k', limit: Number.NaN, expiresAtMs: 1 }]);
        break;
      case 'count without measure':
        await kong.counters.take([WINDOW], { cost: 2 ** 40 });
        break;
      case 'count in the cluster':
        await kong.counters.take([WINDOW], { store: { kind: 'cluster' } });
        break;
      case 'count in Redis':
        await kong.counters.take([WINDOW], { store: { kind: 'redis', redis: { host: '127.0.0.1' } } });
        break;
    }
  },

  log(kong) {
    kong.tracing.export({} as Parameters<typeof kong.tracing.export>[0]);
  },
});
