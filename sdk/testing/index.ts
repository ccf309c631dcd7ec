/**
 * The test kit: a plugin in the real guest code and a real isolate, with a host that lives in memory. The sandbox is
 * the gateway's, so the kit is too; this is its door and its types.
 */
export { ConfigurationError, PluginFailure } from './errors.ts';
export type * from './kit.ts';
export { loadPlugin } from './load-plugin.ts';
export { PluginTest, Request, type TestedAnswer, type TestedRequest } from './plugin-test.ts';
