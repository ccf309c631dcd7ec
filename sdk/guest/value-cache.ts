/**
 * `kong.cache`: values by plugin and key, bounded by count. As in entity-cache.ts two generations of a map stand in for a
 * least-recently-used list; here a request loads, not the host, and others depend on it.
 */
import type { CacheOptions, ValueCache } from '../cache.ts';
import type { CallState } from './call-state.ts';

interface Entry {
  readonly value: unknown;
  readonly expiresAtMs: number;
}

/** What became of loading; `abandoned`: the request that did it is gone. */
type Outcome = { readonly value: unknown } | { readonly error: unknown } | 'abandoned';

interface Flight {
  readonly owner: CallState;
  /** Never rejects: perhaps nobody waits. */
  readonly settled: Promise<Outcome>;
  settle(outcome: Outcome): void;
}

const MAX_ENTRIES = 10_000;
const MAX_KEY_LENGTH = 1024;

let young = new Map<string, Entry>();
let old = new Map<string, Entry>();
const flights = new Map<string, Flight>();

export class CacheView implements ValueCache {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  get<Value>(key: string, options: CacheOptions, load: () => Value | Promise<Value>): Value | Promise<Value> {
    const { ttlMs, negativeTtlMs = ttlMs } = options;
    if (!(ttlMs > 0) || !(negativeTtlMs > 0)) throw new TypeError('a time to live must be a positive number');
    const name = this.#nameOf(key);
    const known = peek(name);
    return known === undefined ? this.#obtain(name, options, load) : (known.value as Value);
  }

  invalidate(key: string): void {
    const name = this.#nameOf(key);
    young.delete(name);
    old.delete(name);
    flights.delete(name);
  }

  /** Plugins of a package do not see each other's values. */
  #nameOf(key: string): string {
    if (key.length > MAX_KEY_LENGTH)
      throw new RangeError(`a key is longer than ${MAX_KEY_LENGTH} characters`);
    return `${this.#call.instance?.plugin.name}\0${key}`;
  }

  async #obtain<Value>(
    name: string,
    options: CacheOptions,
    load: () => Value | Promise<Value>,
  ): Promise<Value> {
    for (;;) {
      const known = peek(name);
      if (known !== undefined) return known.value as Value;
      const flight = flights.get(name);
      if (flight === undefined) return this.#load(name, options, load);
      this.#call.pause();
      const outcome = await flight.settled;
      this.#call.wake();
      if (outcome === 'abandoned') continue;
      if ('error' in outcome) throw outcome.error;
      return outcome.value as Value;
    }
  }

  async #load<Value>(
    name: string,
    { ttlMs, negativeTtlMs = ttlMs }: CacheOptions,
    load: () => Value | Promise<Value>,
  ): Promise<Value> {
    const { promise: settled, resolve: settle } = Promise.withResolvers<Outcome>();
    const flight: Flight = { owner: this.#call, settled, settle };
    flights.set(name, flight);
    try {
      const value = await load();
      const lifetimeMs = value === null || value === undefined ? negativeTtlMs : ttlMs;
      if (flights.get(name) === flight) remember(name, { value, expiresAtMs: Date.now() + lifetimeMs });
      settle({ value });
      return value;
    } catch (error) {
      settle({ error });
      throw error;
    } finally {
      if (flights.get(name) === flight) flights.delete(name);
    }
  }
}

/** The call will not go on: whoever waits for what it was loading loads it itself. */
export function abandonLoads(call: CallState): void {
  for (const [name, flight] of flights) {
    if (flight.owner !== call) continue;
    flights.delete(name);
    flight.settle('abandoned');
  }
}

/** Promise reactions were lost, perhaps those that loading was waiting for. */
export function forgetLoads(): void {
  for (const flight of flights.values()) flight.settle('abandoned');
  flights.clear();
}

function peek(name: string): Entry | undefined {
  let entry = young.get(name);
  if (entry === undefined) {
    entry = old.get(name);
    if (entry === undefined) return undefined;
    old.delete(name);
    remember(name, entry);
  }
  if (entry.expiresAtMs > Date.now()) return entry;
  young.delete(name);
  return undefined;
}

function remember(name: string, entry: Entry): void {
  if (young.size * 2 >= MAX_ENTRIES) {
    old = young;
    young = new Map();
  }
  young.set(name, entry);
}
