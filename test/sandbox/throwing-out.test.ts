/**
 * Code of a package that is not the SDK's: it may put anything in the place of the runtime, and throw what has getters,
 * which must not run where no time limit holds.
 */
import { describe, expect, it } from 'vitest';
import { PluginIsolate } from '../../core/sandbox/plugin-isolate.ts';

const LIMITS = {
  memoryMb: 32,
  crossingTimeoutMs: 50,
  phaseDeadlineMs: 1000,
  loadTimeoutMs: 300,
  cacheEntries: 10,
  maxBodyBytes: 1000,
};

function load(code: string): PluginIsolate {
  return new PluginIsolate({ name: 'hostile@1.0.0', code }, LIMITS, {
    onSaid: () => '',
    onCatastrophe: () => {},
  });
}

function pump(body: string): void {
  const isolate = load(`var tollgate = { pump() { ${body} } };`);
  try {
    isolate.pump('');
  } finally {
    isolate.dispose();
  }
}

const LOOP = 'for (;;);';
const withGetter = (name: string) =>
  `throw Object.defineProperty(new Error('x'), '${name}', { get() { ${LOOP} } });`;

describe('what a package throws', () => {
  it.each([
    withGetter('message'),
    withGetter('stack'),
    withGetter('name'),
    `throw new Proxy(new Error('x'), { get() { ${LOOP} } });`,
    `Error.prepareStackTrace = () => { ${LOOP} }; null.x;`,
  ])('is read within its time: %s', (body) => {
    expect(() => pump(body)).toThrow('timeout');
    expect(() => load(body)).toThrow('timeout');
  });

  it.each([
    [`Reflect.apply = String.prototype.slice = () => { ${LOOP} }; throw new Error('y');`, 'error: y'],
    [`throw Symbol('x');`, 'error: what it throws cannot be told'],
    [`throw 'text';`, 'error: text'],
    [`(function dive() { dive(); })();`, 'error: Maximum call stack size exceeded'],
  ])('is told as text: %s', (body, message) => {
    expect(() => pump(body)).toThrow(message);
    expect(() => load(body)).toThrow(message);
  });

  it('is cut short', () => {
    try {
      pump(`throw new Error('x'.repeat(1e6));`);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(11_000);
    }
  });
});

describe('what a package puts in the place of its runtime', () => {
  it.each([
    [`Object.defineProperty(globalThis, 'tollgate', { get() { ${LOOP} } });`],
    [`globalThis.tollgate = new Proxy({}, { get() { ${LOOP} } });`],
    [`var tollgate = { get pump() { ${LOOP} } };`],
    ['let tollgate = {};'],
  ])('is refused where it is none: %s', (code) => {
    expect(() => load(code)).toThrow('error');
  });
});
