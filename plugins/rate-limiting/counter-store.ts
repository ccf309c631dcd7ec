/** Where a configuration has its requests counted. Contract/plugins.md section 2.5. */
import type { InferConfig, TakeOptions } from '@tollgate/sdk';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

/** A configuration is one frozen object for as long as it is valid. */
const knownOptions = new WeakMap<Config, TakeOptions>();

/** Undefined for the node's own counters. The same object for the same configuration. */
export function storeOptionsOf(config: Config): TakeOptions | undefined {
  if (config.policy === 'local' || config.policy === null) return undefined;
  let options = knownOptions.get(config);
  if (options === undefined) {
    options = {
      store:
        config.policy === 'cluster'
          ? { kind: 'cluster' }
          : { kind: 'redis', redis: config.redis, syncRate: config.sync_rate },
    };
    knownOptions.set(config, options);
  }
  return options;
}
