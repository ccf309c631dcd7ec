/** Attacks the wall and what lies behind it, one way at a time: `x-do` names it. */
// biome-ignore-all lint/suspicious/noThenProperty: objects that look like promises are among the ways.
import { definePlugin, s } from '@tollgate/sdk';

type Kong = Parameters<Exclude<Parameters<typeof definePlugin>[0]['access'], undefined>>[0];

/** Not a constant to the linter. */
const isEndless = Date.now() > 0;
const forget = (_: unknown): void => {};

/** Code and data as no type of ours has it. */
const loose = <Value>(value: unknown): Value => value as Value;

const trap = () => {
  throw new Error('looked at');
};
/** Runs code whatever is done with it. */
const hostileProxy = (): never =>
  new Proxy(() => {}, {
    get: trap,
    has: trap,
    ownKeys: trap,
    getPrototypeOf: trap,
    getOwnPropertyDescriptor: trap,
    apply: trap,
  }) as never;

const WAYS: Readonly<Record<string, (kong: Kong) => unknown>> = {
  // Constructor chains and what they might lead to.
  'climb constructors': (kong) => {
    const found = [kong, kong.request, kong.log, kong.metrics, Promise.resolve(), [], new Error('x')].flatMap(
      (from) => {
        const make = loose<{ constructor: { constructor: (code: string) => () => unknown } }>(from)
          .constructor.constructor;
        return ['process', 'require', 'tollgateTellHost', 'Buffer', 'ivm'].filter(
          (name) => make(`return typeof ${name}`)() !== 'undefined',
        );
      },
    );
    if (found.length > 0) throw new Error(`found ${found.join()}`);
  },
  'climb callers': () => {
    const { caller } = loose<{ caller: unknown }>(trap);
    if (caller !== null && caller !== undefined) throw new Error('found a caller');
  },
  'import at run time': () => new Function('return import("node:fs")')() as Promise<unknown>,
  'look at call sites': () => {
    const made = loose<{ prepareStackTrace?: unknown }>(Error);
    made.prepareStackTrace = (_: unknown, sites: readonly { getFunction(): unknown; getThis(): unknown }[]) =>
      sites;
    const sites = loose<{ stack: readonly { getFunction(): unknown; getThis(): unknown }[] }>(
      new Error('x'),
    ).stack;
    const foreign = sites.flatMap((site) => [site.getFunction(), site.getThis()]);
    delete made.prepareStackTrace;
    for (const each of foreign) {
      const make = loose<{ constructor?: { constructor?: (code: string) => () => unknown } } | undefined>(
        each,
      )?.constructor?.constructor;
      if (make?.('return typeof process')() === 'object') throw new Error('found the process');
    }
  },
  'throw from prepareStackTrace': () => {
    loose<{ prepareStackTrace?: unknown }>(Error).prepareStackTrace = trap;
    throw new Error('with a stack');
  },
  'wait with Atomics': () => {
    const { Atomics: found, SharedArrayBuffer: Shared } = loose<{
      readonly Atomics?: { wait(...given: unknown[]): void };
      readonly SharedArrayBuffer?: new (size: number) => ArrayBuffer;
    }>(globalThis);
    if (found !== undefined && Shared !== undefined) found.wait(new Int32Array(new Shared(8)), 0, 0);
  },
  'compile WebAssembly': () =>
    loose<{ WebAssembly: { Module: new (x: unknown) => unknown } }>(globalThis).WebAssembly,

  // Prototypes that other plugins share.
  'pollute Object.prototype': () => {
    for (const name of ['status', 'body', 'id', 'then', 'headers', 'toJSON', 'plugin']) {
      Object.defineProperty(Object.prototype, name, { value: 'evil', configurable: true, writable: true });
    }
  },
  'pollute through JSON': (kong) => {
    Object.assign(
      kong.ctx.shared,
      JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    );
  },
  'set setters on Object.prototype': () => {
    for (const name of ['0', 'picks', 'kind', 'level', 'message']) {
      Object.defineProperty(Object.prototype, name, { set: trap, configurable: true });
    }
  },
  'replace Promise': () => {
    globalThis.Promise = loose(class {});
  },

  // Values that run code.
  'answer with a proxy': (kong) => kong.response.exit(200, hostileProxy()),
  'set a proxy as a header': (kong) => kong.response.setHeader('x', hostileProxy()),
  'name a header by a proxy': (kong) => kong.service.request.setHeader(hostileProxy(), 'x'),
  'share a proxy': (kong) => {
    kong.ctx.shared['x'] = hostileProxy();
  },
  'log a proxy': (kong) => kong.log.err(hostileProxy()),
  'authenticate a proxy': (kong) => kong.client.authenticate(hostileProxy(), null),
  'ask the host for a proxy': (kong) => kong.entities.find('consumers', 'id', hostileProxy()),
  'change a text while it is written': (kong) => {
    let reads = 0;
    kong.response.setHeader('x', loose({ toString: () => (reads++ === 0 ? 'a' : 'a\r\nevil: 1') }));
  },
  'return a proxy': () => hostileProxy(),
  'reject with a proxy': () => Promise.reject(hostileProxy()),

  // Splitting heads.
  'split a header': (kong) => kong.response.setHeader('x', 'a\r\nevil: 1'),
  'split a name': (kong) => kong.response.setHeader('x: 1\r\nevil', 'a'),
  'split an answer': (kong) => kong.response.exit(200, 'x', { 'x\r\nevil': '1', y: 'a\0b' }),
  'split the path': (kong) => kong.service.request.setPath('/ HTTP/1.1\r\nevil: 1\r\n\r\n'),
  'split the method': (kong) => kong.service.request.setMethod('GET / HTTP/1.1\r\nevil: 1'),
  'split the query': (kong) => kong.service.request.setRawQuery('a HTTP/1.1\r\nevil: 1'),

  // Too much of everything.
  'flood with promises': () => {
    for (let at = 0; isEndless; at++) Promise.resolve(at).then(forget);
  },
  'multiply promises': () => {
    const breed = async (): Promise<void> => {
      await undefined;
      void breed();
      void breed();
    };
    return breed();
  },
  'leave promises behind': () => {
    for (let at = 0; at < 10_000; at++) void new Promise(() => {});
  },
  'call the host a million times': (kong) => {
    for (let at = 0; at < 1_000_000; at++) {
      kong.counters.take([{ key: `k${at}`, limit: 1, expiresAtMs: 1e15 }]).catch(forget);
    }
  },
  'grow a text to 2 GB': () => {
    let text = 'x'.repeat(1024);
    while (text.length < 2 ** 31) text += text;
    forget(text);
  },
  'flatten large texts': () => {
    const kept: string[] = [];
    for (;;) kept.push(`${'x'.repeat(2 ** 22)}${kept.length}`.replace('x', 'y'));
  },
  'answer with a large text': (kong) => kong.response.exit(200, 'x'.repeat(2 ** 28)),
  'set a large header': (kong) => kong.response.setHeader('x', 'x'.repeat(2 ** 26)),
  'share a large text': (kong) => {
    kong.ctx.shared['x'] = 'x'.repeat(2 ** 27);
  },
  'allocate buffers': () => {
    const kept: Uint8Array[] = [];
    for (;;) kept.push(new Uint8Array(2 ** 24).fill(1));
  },
  'allocate one large buffer': () => new Uint8Array(2 ** 32).length,
  'fill a large list': () => new Array(1e9).fill(1).length,
  'sort a large list': () => new Array(1e9).toSorted().length,
  'search a large list': () => new Array(1e9).lastIndexOf(1),
  'spread a large list': () => [...new Array(1e9)].length,
  'keep values in the cache': async (kong) => {
    for (let at = 0; isEndless; at++)
      await kong.cache.get(`${at}`, { ttlMs: 1e9 }, () => new Array(10_000).fill(at));
  },
  'count in endless series': (kong) => {
    for (let at = 0; at < 100_000; at++) kong.metrics.increment('breaking_out_total', [`${at}`]);
  },
  'recurse without end': () => {
    const down = (): number => 1 + down();
    return down();
  },
  'nest without end': (kong) => {
    let body: Record<string, unknown> = {};
    for (let at = 0; at < 100_000; at++) body = { body };
    return kong.response.exit(200, body);
  },

  // Without an end.
  'never settle': () => new Promise(() => {}),
  'wait for itself': async () => {
    const self: { promise?: Promise<unknown> } = {};
    self.promise = (async () => {
      await undefined;
      await self.promise;
    })();
    await self.promise;
  },
  'backtrack without end': () => /^(a+)+$/.test(`${'a'.repeat(64)}b`),
  'sort without end': () => new Array(1e6).fill(0).sort(() => (isEndless ? Math.random() - 0.5 : 0)).length,
  'loop in a getter of the answer': (kong) =>
    kong.response.exit(200, {
      get endless(): never {
        for (;;);
      },
    }),
  'catch what stops it': () => {
    for (;;) {
      try {
        for (;;);
      } finally {
      }
    }
  },
};

export const WAY_NAMES = Object.keys(WAYS);

export default definePlugin({
  name: 'breaking-out',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  metrics: { breaking_out_total: { type: 'counter', help: 'Series', labels: ['at'] } },

  access(kong) {
    return WAYS[kong.request.getHeader('x-do') ?? '']?.(kong) as undefined;
  },
});
