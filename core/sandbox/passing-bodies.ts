/**
 * The bodies that pass through the plugins of one lane: each is a row of calls, one after the other. What they leave in the
 * isolate cannot be made again, so a step that was begun and cut short is the end of its body.
 */
import {
  type BodyDirection,
  encodeFeedBody,
  encodeOpenBody,
  MAX_TRANSFORMED_BYTES,
  WANTED,
} from '../../sdk/protocol/body-step.ts';
import { HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { GuestError, LogLine } from '../../sdk/protocol/phase-result.ts';
import type { BodyLane, BodyListener } from '../pipeline/phase-lane.ts';
import type { StepListener } from './active-call.ts';

/** What they do in the lane. */
export interface StepStarter {
  /** The number cancels it. `isOnce`: it is not run again. */
  start(kind: string, payload: string, listener: StepListener, isOnce: boolean): number;
  cancel(call: number): void;
  /** A frame that is no call. */
  tell(kind: string, id: number): void;
}

export class PassingBodies implements BodyLane {
  readonly #starter: StepStarter;
  readonly #bodies = new Map<number, PassingBody>();
  #last = 0;

  constructor(starter: StepStarter) {
    this.#starter = starter;
  }

  openBody(direction: BodyDirection, call: string, listener: BodyListener): number {
    const number = ++this.#last;
    const body = new PassingBody(number, listener, this.#close);
    this.#bodies.set(number, body);
    body.call = this.#starter.start(
      HOST_FRAMES.openBody,
      encodeOpenBody(number, direction, call),
      body,
      false,
    );
    return number;
  }

  feedBody(number: number, bytes: string, isLast: boolean): void {
    const body = this.#bodies.get(number);
    if (body === undefined) return;
    body.isLast = isLast;
    body.call = this.#starter.start(HOST_FRAMES.feedBody, encodeFeedBody(number, bytes, isLast), body, true);
  }

  closeBody(number: number): void {
    const body = this.#bodies.get(number);
    if (body === undefined) return;
    if (body.call !== 0) this.#starter.cancel(body.call);
    this.#close(number, true);
  }

  readonly #close: CloseBody = (number, isHeld) => {
    if (this.#bodies.delete(number) && isHeld) this.#starter.tell(HOST_FRAMES.closeBody, number);
  };
}

/** Nothing more comes of it. `isHeld`: the guest holds it still. */
type CloseBody = (number: number, isHeld: boolean) => void;

class PassingBody implements StepListener {
  /** The step under way; 0 between two. */
  call = 0;
  isLast = false;
  readonly #number: number;
  readonly #listener: BodyListener;
  readonly #close: CloseBody;
  #isOpen = false;

  constructor(number: number, listener: BodyListener, close: CloseBody) {
    this.#number = number;
    this.#listener = listener;
    this.#close = close;
  }

  onStepDone(payload: string): void {
    this.call = 0;
    if (!this.#isOpen) {
      this.#isOpen = payload === WANTED;
      if (!this.#isOpen) this.#close(this.#number, false);
      this.#listener.onBodyOpened(this.#isOpen);
      return;
    }
    if (payload.length > MAX_TRANSFORMED_BYTES) {
      this.onPhaseFailure('protocol', `more than ${MAX_TRANSFORMED_BYTES} bytes in the place of a piece`);
      return;
    }
    if (this.isLast) this.#close(this.#number, false);
    this.#listener.onBodyFed(payload);
  }

  onStepFailed({ plugin, phase, name, message, stack }: GuestError): void {
    const where = plugin === '' ? '' : `plugin '${plugin}' failed in ${phase}: ${name}: `;
    this.#fail('error', `${where}${message}\n${stack}`);
  }

  onPhaseFailure(reason: Parameters<StepListener['onPhaseFailure']>[0], detail: string): void {
    this.#fail(reason, detail);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#listener.onPhaseLog?.(lines);
  }

  #fail(reason: Parameters<BodyListener['onBodyFailure']>[0], detail: string): void {
    this.call = 0;
    this.#close(this.#number, true);
    this.#listener.onBodyFailure(reason, detail);
  }
}
