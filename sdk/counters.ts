/** `kong.counters`: counters that all workers of the node share. One host call each. */

/** One fixed window to count in. */
export interface CounterWindow {
  /** Names the window, its start included: two windows in time are two keys. */
  readonly key: string;
  /** The window is full once this many have been counted. Fractions are allowed. */
  readonly limit: number;
  /** When the counter may be forgotten, in ms since the epoch. */
  readonly expiresAtMs: number;
}

export interface CounterReader {
  /**
   * Counts `cost` (default 1) in every window, or in none when the use of any has reached its limit. Atomic across
   * the workers of the node: with a limit of 5, exactly 5 of any number of simultaneous calls are counted.
   * Resolves to the use of each window *before* this call, in the order given.
   */
  take(windows: readonly CounterWindow[], cost?: number): Promise<readonly number[]>;
}
