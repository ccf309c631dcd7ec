/** Keeps values between phases and requests. `x-do` says what to load and how. */
import { definePlugin, s } from '@tollgate/sdk';

let loads = 0;

export default definePlugin({
  name: 'keeping',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { entities: ['keyauth_credentials'] },

  async access(kong) {
    const [does = '', key = ''] = (kong.request.getHeader('x-do') ?? '').split(' ');
    if (does === 'forwarded') {
      const { request } = kong;
      return kong.response.exit(200, {
        trusted: kong.ip.isTrusted('10.1.1.1'),
        scheme: request.getForwardedScheme(),
        host: request.getForwardedHost(),
        port: request.getForwardedPort(),
        path: request.getForwardedPath(),
      });
    }
    if (does === 'context') {
      kong.ctx.plugin['seen'] = new Map([[key, 1]]);
      return kong.response.exit(200, {});
    }
    if (does === 'forget') kong.cache.invalidate(key);
    if (does === 'misuse') await kong.cache.get(key, { ttlMs: Number(key) }, () => 1);
    if (does === 'overlong') await kong.cache.get('k'.repeat(1025), { ttlMs: 1 }, () => 1);
    const ttlMs = does === 'briefly' ? 1 : 1e9;
    const value = await kong.cache.get(key, { ttlMs }, async () => {
      loads++;
      if (does === 'wait') await kong.entities.find('keyauth_credentials', 'key', key);
      if (does === 'hang') await new Promise(() => {});
      if (does === 'fail') throw new RangeError('cannot load');
      return does === 'miss' ? undefined : { number: loads };
    });
    return kong.response.exit(200, { loads, number: value?.number ?? null });
  },

  log(kong) {
    const seen = kong.ctx.plugin['seen'];
    kong.log.notice(seen instanceof Map ? [...seen.keys()].join() : 'nothing');
  },
});
