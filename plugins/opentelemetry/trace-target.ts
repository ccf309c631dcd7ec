/** Where the spans of a configuration go, in the words of the SDK. */
import type { InferConfig, TraceTarget } from '@tollgate/sdk';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

const MS_PER_SECOND = 1000;

/** A configuration is one frozen object for as long as it is valid, and so is its target. */
const targets = new WeakMap<Config, TraceTarget>();

/** Undefined without a `traces_endpoint`. */
export function findTarget(config: Config): TraceTarget | undefined {
  if (config.traces_endpoint === null) return undefined;
  let target = targets.get(config);
  if (target === undefined) {
    target = describeTarget(config, config.traces_endpoint);
    targets.set(config, target);
  }
  return target;
}

function describeTarget(config: Config, endpoint: string): TraceTarget {
  const { queue } = config;
  return {
    endpoint,
    headers: config.headers ?? {},
    resourceAttributes: config.resource_attributes ?? {},
    timeoutMs: config.connect_timeout + config.send_timeout + config.read_timeout,
    maxBatchSpans: queue.max_batch_size,
    maxDelayMs: queue.max_coalescing_delay * MS_PER_SECOND,
    maxQueuedSpans: queue.max_entries,
    maxRetryMs: queue.max_retry_time * MS_PER_SECOND,
    retryDelayMs: queue.initial_retry_delay * MS_PER_SECOND,
    maxRetryDelayMs: queue.max_retry_delay * MS_PER_SECOND,
  };
}
