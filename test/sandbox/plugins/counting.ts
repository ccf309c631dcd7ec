/** Counts where its header `x-do` says, as JSON of options; answers with the uses. A plugin of somebody else's. */
import { definePlugin, s, type TakeOptions } from '@tollgate/sdk';

const NEVER_MS = 4e12;

export default definePlugin({
  name: 'counting',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { counters: ['redis', 'cluster'] },

  async access(kong) {
    const { key, options } = JSON.parse(kong.request.getHeader('x-do') ?? '{}') as {
      readonly key: string;
      readonly options: TakeOptions;
    };
    const windows = [
      { key: `${key}:a`, limit: 2, expiresAtMs: NEVER_MS },
      { key: `${key}:b`, limit: 5, expiresAtMs: NEVER_MS },
    ];
    return kong.response.exit(200, (await kong.counters.take(windows, options)).join(','));
  },
});
