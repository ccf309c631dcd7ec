/**
 * How often a package has been found guilty of late, and what that costs it: each conviction has kept all requests of
 * the worker waiting, so whoever goes on as before is let run less and less.
 */

/** Beyond so many within the window a package is not let run for a while. */
const MAX_STRIKES = 2;
const WINDOW_MS = 10_000;
const FIRST_QUARANTINE_MS = 10_000;
const MAX_QUARANTINE_MS = 600_000;
/** After a quarantine, one strike within at least this time leads to the next, which is twice as long. */
const MIN_PROBATION_MS = 60_000;

export class Strikes {
  #times: number[] = [];
  #quarantineMs = FIRST_QUARANTINE_MS;
  #probationEndsMs = 0;

  /** For how long it is not let run; 0 when it is let off. `nowMs` may not go backwards. */
  note(nowMs: number): number {
    this.#times = this.#within(nowMs);
    this.#times.push(nowMs);
    const isOver = this.#times.length > MAX_STRIKES || nowMs < this.#probationEndsMs;
    return isOver ? this.convict(nowMs) : 0;
  }

  /** For how long it is not let run, whatever it has done before. */
  convict(nowMs: number): number {
    const isAgain = nowMs < this.#probationEndsMs;
    this.#quarantineMs = isAgain ? Math.min(this.#quarantineMs * 2, MAX_QUARANTINE_MS) : FIRST_QUARANTINE_MS;
    const probationMs = Math.max(this.#quarantineMs, MIN_PROBATION_MS);
    this.#probationEndsMs = nowMs + this.#quarantineMs + probationMs;
    this.#times = [];
    return this.#quarantineMs;
  }

  /** Within the window. */
  count(nowMs: number): number {
    return this.#within(nowMs).length;
  }

  #within(nowMs: number): number[] {
    return this.#times.filter((time) => time > nowMs - WINDOW_MS);
  }
}
