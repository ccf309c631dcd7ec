/** Looks for a way out of the isolate. Answers with what it found. */
import { definePlugin, s } from '@tollgate/sdk';

const NAMES = [
  'process',
  'require',
  'module',
  'Buffer',
  'fetch',
  'setTimeout',
  'setImmediate',
  'queueMicrotask',
  'structuredClone',
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'ivm',
  'global',
];

export default definePlugin({
  name: 'escaping',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  async access(kong, config) {
    const constructors = [
      globalThis,
      kong,
      config,
      kong.request,
      kong.response,
      Promise.resolve(),
      (globalThis as Record<string, unknown>)['tollgate'],
      new Error('x'),
      async () => {},
    ].map((from) => (from as { constructor: { constructor: (code: string) => () => unknown } }).constructor);
    const found: string[] = [];
    for (const code of NAMES.map((name) => `return typeof ${name}`)) {
      for (const base of constructors) {
        const type = attempt(() => base.constructor(code)());
        if (type !== 'undefined') found.push(`${code}: ${type}`);
      }
    }
    const imported: string[] = [];
    for (const specifier of ['node:fs', 'fs', './index.ts', 'data:text/javascript,1']) {
      try {
        await new Function('s', 'return import(s)')(specifier);
        imported.push(specifier);
      } catch {
        // As it should be.
      }
    }
    const stack = String(new Error('where').stack);
    const prepared = attempt(() => {
      (Error as unknown as Record<string, unknown>)['prepareStackTrace'] = (
        _: unknown,
        sites: readonly { getThis?(): unknown; getFileName(): string }[],
      ) => sites.map((site) => [typeof site.getThis?.(), site.getFileName()].join(' '));
      const { stack: sites } = new Error('x');
      delete (Error as unknown as Record<string, unknown>)['prepareStackTrace'];
      return JSON.stringify(sites);
    });
    const memory = attempt(() => {
      const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (o: object) => unknown } })
        .WebAssembly;
      return typeof new Memory({ initial: 1 });
    });
    return kong.response.exit(200, { found, imported, stack, prepared, memory });
  },
});

function attempt(run: () => unknown): string {
  try {
    return String(run());
  } catch (error) {
    return error instanceof ReferenceError ? 'undefined' : `threw ${String(error)}`;
  }
}
