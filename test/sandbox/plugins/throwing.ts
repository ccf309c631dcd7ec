/** Throws and rejects with everything that can be thrown. */
import { definePlugin, s } from '@tollgate/sdk';

class Unprintable extends Error {
  override get message(): string {
    throw new Error('no message for you');
  }
}

const THROWN: Readonly<Record<string, () => unknown>> = {
  error: () => new RangeError('out of range'),
  text: () => 'just text',
  nothing: () => undefined,
  symbol: () => Symbol('odd'),
  bare: () => Object.create(null),
  unprintable: () => new Unprintable(),
  proxy: () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('trapped');
        },
        getPrototypeOf() {
          throw new Error('trapped');
        },
      },
    ),
};

export default definePlugin({
  name: 'throwing',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  access(kong) {
    const [how = '', what = ''] = (kong.request.getHeader('x-do') ?? '').split(' ');
    const thrown = THROWN[what];
    if (thrown === undefined) return undefined;
    if (how === 'reject') return Promise.reject(thrown());
    throw thrown();
  },
});
