/**
 * The health of one address in memory that all threads of a node share: whoever sees the failure that fills a counter
 * has changed the state for all of them. Source of the rules: contract/proxy.md section 8.3.
 */

const STATE = 0;
const SUCCESSES = 1;
const TCP_FAILURES = 2;
const TIMEOUTS = 3;
const HTTP_FAILURES = 4;
const LENGTH = 5;

const HEALTHY = 0;
const UNHEALTHY = 1;

export type FailureKind = 'tcp_failures' | 'timeouts' | 'http_failures';

const COUNTER_OF: Readonly<Record<FailureKind, number>> = {
  tcp_failures: TCP_FAILURES,
  timeouts: TIMEOUTS,
  http_failures: HTTP_FAILURES,
};

export function makeHealthMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(LENGTH * Int32Array.BYTES_PER_ELEMENT);
}

export class HealthCell {
  readonly #cell: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cell = new Int32Array(memory);
  }

  get isHealthy(): boolean {
    return this.#cell[STATE] === HEALTHY;
  }

  /** True when it was the one that made the address healthy. `limit` 0: successes do not count. */
  noteSuccess(limit: number): boolean {
    if (limit === 0 || (this.isHealthy && !this.#hasFailures)) return false;
    this.#clear(TCP_FAILURES, TIMEOUTS, HTTP_FAILURES);
    if (this.isHealthy) return false;
    return Atomics.add(this.#cell, SUCCESSES, 1) + 1 >= limit && this.set(true);
  }

  /** True when it was the one that made the address unhealthy. `limit` 0: such failures do not count. */
  noteFailure(kind: FailureKind, limit: number): boolean {
    if (limit === 0 || !this.isHealthy) {
      if (limit > 0) this.#clear(SUCCESSES);
      return false;
    }
    this.#clear(SUCCESSES);
    return Atomics.add(this.#cell, COUNTER_OF[kind], 1) + 1 >= limit && this.set(false);
  }

  /** Starts all counters anew. True when this changed the state. */
  set(isHealthy: boolean): boolean {
    const state = isHealthy ? HEALTHY : UNHEALTHY;
    const before = Atomics.exchange(this.#cell, STATE, state);
    this.#clear(SUCCESSES, TCP_FAILURES, TIMEOUTS, HTTP_FAILURES);
    return before !== state;
  }

  get #hasFailures(): boolean {
    const cell = this.#cell;
    return cell[TCP_FAILURES]! > 0 || cell[TIMEOUTS]! > 0 || cell[HTTP_FAILURES]! > 0;
  }

  #clear(...counters: readonly number[]): void {
    for (const counter of counters) Atomics.store(this.#cell, counter, 0);
  }
}
