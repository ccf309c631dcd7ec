/**
 * Stands where a package's lane would be while the package cannot or may not run: requests fail, or go on as if its
 * plugins were not there, as the operator has said of the package.
 */
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import type { BodyListener, LanePhase, PhaseLane, PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';

/** What requests get whose plugins cannot run. */
export type OnError = 'fail' | 'skip';

const NOTHING_DONE: PhaseOutcome = {
  kind: 'proceed',
  picks: '',
  consumer: '',
  credential: '',
  shared: '',
  changes: undefined,
  serviceTriples: null,
  responseTriples: null,
  status: 0,
  bodyKind: '',
  body: '',
  failure: undefined,
};

export class AbsentLane implements PhaseLane {
  readonly #onError: OnError;
  readonly #detail: string;
  readonly #before: PhaseLane | undefined;
  readonly #waiting = new Set<number>();
  #lastId = 0;

  /** `detail` is for the operator. `before`: the lane that calls may still be under way in. */
  constructor(onError: OnError, detail: string, before?: PhaseLane) {
    this.#onError = onError;
    this.#detail = detail;
    this.#before = before;
  }

  /** Its numbers are negative, which no isolate's lane gives. */
  submit(_phase: LanePhase, _call: string, listener: PhaseListener): number {
    return this.#answerLater(() => {
      if (this.#onError === 'skip') listener.onPhaseOutcome(NOTHING_DONE);
      else listener.onPhaseFailure('unavailable', this.#detail);
    });
  }

  openBody(_direction: BodyDirection, _call: string, listener: BodyListener): number {
    return this.#answerLater(() => {
      if (this.#onError === 'skip') listener.onBodyOpened(false);
      else listener.onBodyFailure('unavailable', this.#detail);
    });
  }

  /** Bodies that have begun in a lane stay with it. */
  feedBody(): void {}

  closeBody(body: number): void {
    this.#waiting.delete(body);
  }

  #answerLater(answer: () => void): number {
    const id = --this.#lastId;
    this.#waiting.add(id);
    setImmediate(() => {
      if (this.#waiting.delete(id)) answer();
    });
    return id;
  }

  cancel(id: number): void {
    if (!this.#waiting.delete(id) && id > 0) this.#before?.cancel(id);
  }

  submitLog(): void {}
}
