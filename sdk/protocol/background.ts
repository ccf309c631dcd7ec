/**
 * Work of plugins that belongs to no request: batches of queued entries, timers, and changes of configuration.
 *
 * The host keeps the entries and the clock, so that neither bounds nor times depend on what runs in the isolate. A guest
 * tells it an entry as `<instance id>\n<JSON>`, and is given `<instance id>\n<JSON array>` once a batch is due, and
 * `<plugin>\n<position>` once a timer is. Both are answered by `stepDone` or `stepFailed`.
 */

/** Of the JSON of one entry, in bytes. */
export const MAX_ENTRY_BYTES = 256 * 1024;
/** What one call of a handler may queue. */
export const MAX_ENTRIES_PER_CALL = 100;

export const MIN_TIMER_MS = 100;
/** A day. */
export const MAX_TIMER_MS = 86_400_000;
export const MAX_TIMERS = 16;

/** Members of a configuration's `queue`, as `s.queue()` declares them; times in seconds. */
export interface QueueSettings {
  readonly max_batch_size: number;
  readonly max_coalescing_delay: number;
  readonly max_entries: number;
  readonly max_bytes: number | null;
  readonly max_retry_time: number;
  readonly initial_retry_delay: number;
  readonly max_retry_delay: number;
  readonly concurrency_limit: number;
}

/** What is assumed where a configuration has no `queue`. */
export const DEFAULT_QUEUE: QueueSettings = {
  max_batch_size: 1,
  max_coalescing_delay: 1,
  max_entries: 10_000,
  max_bytes: null,
  max_retry_time: 60,
  initial_retry_delay: 0.01,
  max_retry_delay: 60,
  concurrency_limit: 1,
};

/** Two texts, the first of which holds no line feed. */
export function encodePair(first: string, second: string): string {
  return first + '\n' + second;
}

export function decodePair(payload: string): readonly [first: string, second: string] {
  const lineEnd = payload.indexOf('\n');
  return [payload.slice(0, Math.max(lineEnd, 0)), payload.slice(lineEnd + 1)];
}
