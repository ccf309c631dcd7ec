/** Where the spans and log lines of a configuration go, in the words of the SDK. */
import type { ExportTarget, ExportTargets, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

const MS_PER_SECOND = 1000;

/** A configuration is one frozen object for as long as it is valid, and so are its targets. */
const known = new WeakMap<Config, ExportTargets>();

export function findTargets(config: Config): ExportTargets {
  let targets = known.get(config);
  if (targets === undefined) {
    const { traces_endpoint: traces, logs_endpoint: logs } = config;
    targets = {
      traces: traces === null ? undefined : describeTarget(config, traces),
      logs: logs === null ? undefined : describeTarget(config, logs),
    };
    known.set(config, targets);
  }
  return targets;
}

function describeTarget(config: Config, endpoint: string): ExportTarget {
  const { queue } = config;
  return {
    endpoint,
    headers: config.headers ?? {},
    resourceAttributes: config.resource_attributes ?? {},
    timeoutMs: config.connect_timeout + config.send_timeout + config.read_timeout,
    maxBatchSize: queue.max_batch_size,
    maxDelayMs: queue.max_coalescing_delay * MS_PER_SECOND,
    maxQueueSize: queue.max_entries,
    maxRetryMs: queue.max_retry_time * MS_PER_SECOND,
    retryDelayMs: queue.initial_retry_delay * MS_PER_SECOND,
    maxRetryDelayMs: queue.max_retry_delay * MS_PER_SECOND,
  };
}
