/**
 * Counters of fixed windows shared by all workers of a node. The integers live outside the JavaScript heaps, in a
 * store that is handed in; this file decides what is counted and when it is forgotten.
 */

/** Integers that every thread of the process sees. Only what happens between `lock` and `unlock` is atomic. */
export interface SharedIntegers {
  lock(collection: string): void;
  unlock(collection: string): void;
  getInteger(key: string, collection: string): number;
  /** Adds and returns the new value. */
  incInteger(key: string, by: number, collection: string): number;
  deleteInteger(key: string, collection: string): void;
}

export interface Window {
  readonly key: string;
  readonly limit: number;
  /** When the counter disappears, in ms since the epoch. */
  readonly expiresAtMs: number;
}

export interface LocalCounters {
  /**
   * Counts `cost` in every window, or in none when the use of any has reached its limit. Returns the use of each
   * before. Simultaneous calls of all workers are admitted exactly up to the limit.
   */
  take(windows: readonly Window[], cost: number): readonly number[];
  /** Forgets counters that have expired. Call it every second. */
  sweep(nowMs: number): void;
}

const COLLECTION = 'counters';
const COARSE_SECONDS = 60;

export function createLocalCounters(integers: SharedIntegers): LocalCounters {
  const expiring = new ExpiryBuckets();

  const takeOne = ({ key, limit, expiresAtMs }: Window, cost: number): readonly number[] => {
    const used = integers.getInteger(key, COLLECTION);
    if (used < limit) {
      integers.incInteger(key, cost, COLLECTION);
      if (used === 0) expiring.add(key, expiresAtMs);
    }
    return [used];
  };

  const takeAll = (windows: readonly Window[], cost: number): readonly number[] => {
    const used = windows.map(({ key }) => integers.getInteger(key, COLLECTION));
    if (windows.some(({ limit }, index) => (used[index] as number) >= limit)) return used;
    for (const [index, { key, expiresAtMs }] of windows.entries()) {
      integers.incInteger(key, cost, COLLECTION);
      if (used[index] === 0) expiring.add(key, expiresAtMs);
    }
    return used;
  };

  // The store's operations are not atomic by themselves: two threads that increment at once can lose one.
  const locked = <Result>(run: () => Result): Result => {
    integers.lock(COLLECTION);
    try {
      return run();
    } finally {
      integers.unlock(COLLECTION);
    }
  };

  return {
    take: (windows, cost) =>
      locked(() => (windows.length === 1 ? takeOne(windows[0] as Window, cost) : takeAll(windows, cost))),
    sweep(nowMs) {
      const expired = expiring.takeExpired(nowMs);
      if (expired.length > 0)
        locked(() => {
          for (const key of expired) integers.deleteInteger(key, COLLECTION);
        });
    },
  };
}

/** Keys by the second they expire in; by the minute when that is far away, so that there are never many buckets. */
class ExpiryBuckets {
  readonly #buckets = new Map<number, string[]>();
  #nextCoarseSweep = 0;

  add(key: string, expiresAtMs: number): void {
    const second = Math.ceil(expiresAtMs / 1000);
    const isNear = expiresAtMs - Date.now() <= COARSE_SECONDS * 1000;
    const bucket = isNear ? second : Math.ceil(second / COARSE_SECONDS) * COARSE_SECONDS;
    const keys = this.#buckets.get(bucket);
    if (keys === undefined) this.#buckets.set(bucket, [key]);
    else keys.push(key);
  }

  takeExpired(nowMs: number): string[] {
    const now = Math.floor(nowMs / 1000);
    const expired: string[] = [];
    // Near buckets lie at most a minute back; the rest are looked through once a minute.
    if (now >= this.#nextCoarseSweep) {
      this.#nextCoarseSweep = now + COARSE_SECONDS;
      for (const [second, keys] of this.#buckets) if (second <= now) this.#take(second, keys, expired);
      return expired;
    }
    for (let second = now - COARSE_SECONDS; second <= now; second++) {
      const keys = this.#buckets.get(second);
      if (keys !== undefined) this.#take(second, keys, expired);
    }
    return expired;
  }

  #take(second: number, keys: readonly string[], expired: string[]): void {
    this.#buckets.delete(second);
    for (const key of keys) expired.push(key);
  }
}
