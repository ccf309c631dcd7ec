/** Replaces what the guest runtime is built on, for everything that runs in the isolate afterwards. */
// biome-ignore-all lint/suspicious/noThenProperty: replacing it is one of the attacks.
import { definePlugin, s } from '@tollgate/sdk';

const POISONS: Readonly<Record<string, () => void>> = {
  'JSON.stringify': () => {
    JSON.stringify = () => 'garbage';
  },
  'JSON.stringify to an object': () => {
    JSON.stringify = (() => ({
      length: 3,
      toString: () => 'more than three',
    })) as unknown as typeof JSON.stringify;
  },
  'JSON.parse': () => {
    JSON.parse = () => {
      throw new Error('poisoned');
    };
  },
  'Array.prototype.join': () => {
    Array.prototype.join = () => '\r\nevil: 1\n\n\n';
  },
  'String.prototype.slice': () => {
    String.prototype.slice = () => 'garbage';
  },
  'String.prototype.indexOf': () => {
    String.prototype.indexOf = () => 0;
  },
  'RegExp.prototype.test': () => {
    RegExp.prototype.test = () => true;
  },
  'Map.prototype.get': () => {
    Map.prototype.get = () => undefined;
  },
  'Promise.prototype.then': () => {
    Promise.prototype.then = (() => undefined) as unknown as typeof Promise.prototype.then;
  },
  'Object.prototype': () => {
    Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'poisoned', configurable: true });
  },
  tollgate: () => {
    Object.assign((globalThis as unknown as { tollgate: object }).tollgate, { pump: () => 'hacked' });
  },
};

export default definePlugin({
  name: 'poisoning',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  async access(kong) {
    const does = kong.request.getHeader('x-do') ?? '';
    POISONS[does]?.();
    if (does === 'RegExp.prototype.test') kong.response.setHeader('x\r\ny', 'a\r\nset-cookie: b');
    kong.log.info('poisoned ', does);
    kong.ctx.shared['does'] = does;
    kong.response.setHeader('x-done', does);
    await kong.counters.take([{ key: 'k', limit: 5, expiresAtMs: 1e15 }]);
  },
});
