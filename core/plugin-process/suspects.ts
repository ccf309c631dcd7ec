/**
 * Who is let into a process, and when. After one has ended with several calls in it nobody knows whose doing it was: they
 * are run again one by one, and everybody else waits until that is over.
 */
import type { ActiveCall } from '../sandbox/active-call.ts';

export interface Admission {
  /** Starts the call in the process. */
  start(call: ActiveCall): void;
  /** Somebody still waits for it. */
  isWanted(call: ActiveCall): boolean;
}

export class Suspects {
  readonly #admission: Admission;
  #suspects: ActiveCall[] = [];
  /** The one that is alone in the process. */
  #trial: ActiveCall | undefined;
  #waiting: ActiveCall[] = [];
  #isOpen = false;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** There is a process to run in. */
  open(): void {
    this.#isOpen = true;
    this.#goOn();
  }

  /** Starts a call, at once or when its turn has come. */
  admit(call: ActiveCall): void {
    if (this.#isOpen && this.#trial === undefined) this.#admission.start(call);
    else this.#waiting.push(call);
  }

  /** It has ended, or nobody waits for it any more. */
  release(call: ActiveCall): void {
    if (call !== this.#trial) return;
    this.#trial = undefined;
    this.#goOn();
  }

  /** Calls that have not been started. */
  isWaiting(call: ActiveCall): boolean {
    return this.#waiting.includes(call) || this.#suspects.includes(call);
  }

  /**
   * The process has ended with these calls in it. Returns the one whose doing it was; the others are tried one by one
   * as soon as there is another process.
   */
  close(running: readonly ActiveCall[]): ActiveCall | undefined {
    this.#isOpen = false;
    const only = running.length === 1 ? running[0] : undefined;
    this.#trial = undefined;
    if (only === undefined) this.#suspects.push(...running);
    return only;
  }

  #goOn(): void {
    while (this.#isOpen && this.#trial === undefined) {
      const next = this.#suspects.shift();
      if (next === undefined) break;
      if (!this.#admission.isWanted(next)) continue;
      this.#trial = next;
      this.#admission.start(next);
    }
    if (!this.#isOpen || this.#trial !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) if (this.#admission.isWanted(call)) this.#admission.start(call);
  }
}
