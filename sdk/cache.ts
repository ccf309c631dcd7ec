/** `kong.cache`: values that are expensive to come by, kept between requests. */

export interface CacheOptions {
  /** How long a value is used, in ms. */
  readonly ttlMs: number;
  /** The same for null and undefined. Default: `ttlMs`. */
  readonly negativeTtlMs?: number;
}

/**
 * Phases: all. A cache of each plugin in each worker: up to 10,000 values of a package, those not asked for going
 * first. It lives in the isolate's heap, and is empty after the isolate has been replaced.
 */
export interface ValueCache {
  /**
   * The cached value, else what `load` returns or resolves to; however many requests ask for a key at once, one loads
   * and the others wait for it. What `load` throws goes to all of them, and is not cached. When the request that loads
   * ends early, the next one loads again. Await it: a cached value comes at once.
   *
   * All get the same object, so do not change it. Keys are up to 1024 characters (RangeError); TypeError on a time that
   * is no positive number.
   */
  get<Value>(key: string, options: CacheOptions, load: () => Value | Promise<Value>): Value | Promise<Value>;
  /** The next asker loads anew, in this worker. A value on its way is used by those who wait for it, and not kept. */
  invalidate(key: string): void;
}
