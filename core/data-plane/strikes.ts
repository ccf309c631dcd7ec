/** How often a package has been found guilty of late. */

/** Beyond so many within the window a package is not let run for a while. */
const MAX_STRIKES = 5;
const WINDOW_MS = 10_000;

export class Strikes {
  #times: number[] = [];

  /** True when this one is too many; the count begins anew then. `nowMs` may not go backwards. */
  note(nowMs: number): boolean {
    this.#times = this.#times.filter((time) => time > nowMs - WINDOW_MS);
    this.#times.push(nowMs);
    if (this.#times.length <= MAX_STRIKES) return false;
    this.#times = [];
    return true;
  }

  /** Within the window. */
  count(nowMs: number): number {
    return this.#times.filter((time) => time > nowMs - WINDOW_MS).length;
  }
}
