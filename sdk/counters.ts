/** `kong.counters`: counters shared by the workers of the node, or by all nodes. One host call each. */
import type { ClusterCounterStore, RedisCounterStore } from './protocol/counter-store.ts';

/** One fixed window to count in. */
export interface CounterWindow {
  /** Names the window, its start included: two windows in time are two keys. */
  readonly key: string;
  /** The window is full once this many have been counted. Fractions are allowed. */
  readonly limit: number;
  /** When the counter may be forgotten, in ms since the epoch. */
  readonly expiresAtMs: number;
}

/** Where to count. Anything but `local` has to be listed in the capability `counters`. */
export type CounterStore = 'local' | ClusterCounterStore | RedisCounterStore;

/** How many to count, and where. */
export interface TakeOptions {
  /** How many to count: a whole number, default 1. With 0 the use is read and nothing counted. */
  readonly cost?: number;
  /**
   * Default `local`. Write the object once and pass the same one again: what it says is then put on the wire only
   * once.
   */
  readonly store?: CounterStore;
}

/** Phases: access, response. Windows that all workers share. */
export interface CounterReader {
  /**
   * Counts `cost` in every window and resolves to the use of each *before* this call, in the order given: a window
   * has refused when that has reached its limit.
   *
   * | store | counted | shared by | with a limit of 5, of simultaneous calls |
   * | --- | --- | --- | --- |
   * | `local` | nowhere when a window is full | workers of the node | exactly 5 are counted |
   * | `cluster` | nowhere when a window is full | nodes on the database | exactly 5 are counted |
   * | `redis` | in every window, full or not | nodes on the Redis | exactly 5 see a use below 5 |
   * | `redis` with `syncRate` | nowhere when a window is full | the same, late | docs/rate-limiting.md says how many more |
   *
   * Rejects when the store cannot be asked: at once while that is known, otherwise within its timeout (`redis.timeout`,
   * three seconds for `cluster`). Throws RangeError on a cost that is no whole number.
   */
  take(windows: readonly CounterWindow[], options?: TakeOptions): Promise<readonly number[]>;
}
