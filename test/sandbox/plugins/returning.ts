/** Returns and stores objects that run code when they are looked at. */
// biome-ignore-all lint/suspicious/noThenProperty: they are what this plugin is about.
import { definePlugin, s } from '@tollgate/sdk';

const RETURNED: Readonly<Record<string, () => unknown>> = {
  getter: () => ({
    get then() {
      throw new Error('looked at');
    },
  }),
  thenable: () => ({ then: (resolve: (value: unknown) => void) => resolve('x') }),
  'failing thenable': () =>
    Promise.resolve({
      get then() {
        throw new Error('looked at');
      },
    }),
  'subclassed promise': () =>
    new (class extends Promise<void> {
      override then(): never {
        throw new Error('looked at');
      }
    })(() => {}),
  number: () => 42,
};

export default definePlugin({
  name: 'returning',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  access(kong) {
    const does = kong.request.getHeader('x-do') ?? '';
    if (does === 'exit with a getter') {
      return kong.response.exit(200, {
        get secret() {
          throw new Error('looked at');
        },
      });
    }
    if (does === 'exit with a loop') {
      const body: Record<string, unknown> = {};
      body['self'] = body;
      return kong.response.exit(200, body);
    }
    if (does === 'share a loop') kong.ctx.shared['self'] = kong.ctx.shared;
    if (does === 'share a BigInt') kong.ctx.shared['big'] = 1n;
    if (does === 'share a getter') {
      Object.defineProperty(kong.ctx.shared, 'x', {
        enumerable: true,
        get() {
          throw new Error('looked at');
        },
      });
    }
    if (does === 'exit with toJSON of nothing') return kong.response.exit(200, { toJSON: () => undefined });
    if (does === 'authenticate a getter') {
      const consumer = { username: null, custom_id: null } as never as {
        id: string;
        username: null;
        custom_id: null;
      };
      Object.defineProperty(consumer, 'id', {
        enumerable: true,
        get() {
          throw new Error('looked at');
        },
      });
      kong.client.authenticate(consumer, null);
    }
    return RETURNED[does]?.() as undefined;
  },
});
