/** Twenty plugins nobody would want beside their own: what each does with a request that has the header `x-evil`. */
export interface HostilePlugin {
  readonly name: string;
  /** Members of the definition. */
  readonly definition: string;
}

const inAccess = (name: string, code: string, members = ''): HostilePlugin => ({
  name,
  definition: `${members}
    async access(kong) {
      if (kong.request.getHeader('x-evil') === undefined) return;
      ${code}
    }`,
});

export const HOSTILE_PLUGINS: readonly HostilePlugin[] = [
  inAccess('loop', 'for (;;);'),
  inAccess('microtask-loop', 'for (;;) await undefined;'),
  inAccess(
    'promise-flood',
    'const grow = () => Promise.resolve().then(() => (grow(), grow())); await grow();',
  ),
  inAccess('hoard', 'const hoard = []; for (;;) hoard.push(new Array(10000).fill(1));'),
  inAccess('long-text', "let text = 'x'; for (;;) text = text.repeat(2) + Math.random();"),
  inAccess(
    'external-memory',
    'const held = []; for (;;) held.push(new Uint8Array(64 * 1024 * 1024).fill(7));',
  ),
  inAccess('huge-map', 'new Array(1e9).map((value) => value);'),
  inAccess('huge-split', "'ab'.repeat(2 ** 27).split('');"),
  inAccess('slow-regex', "/^(a+)+$/.test('a'.repeat(40) + '!');"),
  inAccess('huge-number', 'let number = 3n; for (;;) number = number ** 3n;'),
  inAccess('endless-sort', 'new Array(1000).fill(0).map(Math.random).sort(() => { for (;;); });'),
  inAccess('recursion', 'const dive = (depth) => [dive(depth + 1), depth]; dive(0);'),
  inAccess('never-settles', 'await new Promise(() => {});'),
  inAccess(
    'million-host-calls',
    "await Promise.all(Array.from({ length: 1e6 }, (_, at) => kong.client.loadConsumer('user-' + at, true)));",
  ),
  inAccess('log-flood', "for (;;) kong.log.err('x'.repeat(1000));"),
  inAccess(
    'poison',
    'Array.prototype.push = Promise.prototype.then = String.prototype.slice = () => { for (;;); };',
  ),
  inAccess('getter-body', 'return kong.response.exit(200, { get body() { for (;;); } });'),
  inAccess(
    'split-head',
    "kong.response.setHeader('x-a', 'b\\r\\nContent-Length: 0\\r\\n\\r\\nHTTP/1.1 200 OK'); ",
  ),
  {
    name: 'late-loop',
    definition: `
      response(kong) { if (kong.request.getHeader('x-evil') !== undefined) for (;;); },
      log(kong) { if (kong.request.getHeader('x-evil') !== undefined) for (;;); }`,
  },
  inAccess('just-below', 'const until = Date.now() + 15; while (Date.now() < until);'),
];
