/** In the process of a package: the bodies that a worker leads through it, by the worker's numbers. */
import { decodeFeedBody, decodeOpenBody, UNWANTED, WANTED } from '../../sdk/protocol/body-step.ts';
import type { BodyLane, BodyListener } from '../pipeline/phase-lane.ts';
import { PROCESS_FRAMES } from './wire.ts';

type Send = (kind: string, id: number, payload: string) => void;

export class BodiesOfWorker {
  readonly #lane: BodyLane;
  readonly #send: Send;
  readonly #bodies = new Map<number, BodyOfWorker>();

  /** `send`: to the worker, under its number of the call that is answered. */
  constructor(lane: BodyLane, send: Send) {
    this.#lane = lane;
    this.#send = send;
  }

  open(call: number, payload: string): void {
    const { body, direction, call: text } = decodeOpenBody(payload);
    const opened = new BodyOfWorker(call, this.#send, () => this.#bodies.delete(body));
    this.#bodies.set(body, opened);
    opened.number = this.#lane.openBody(direction, text, opened);
  }

  feed(call: number, payload: string): void {
    const { body, isLast, bytes } = decodeFeedBody(payload);
    const fed = this.#bodies.get(body);
    if (fed === undefined) {
      this.#send(PROCESS_FRAMES.stepFailed, call, describe('the process was replaced'));
      return;
    }
    fed.call = call;
    fed.isLast = isLast;
    this.#lane.feedBody(fed.number, bytes, isLast);
  }

  close(body: number): void {
    const closed = this.#bodies.get(body);
    if (closed === undefined) return;
    this.#bodies.delete(body);
    this.#lane.closeBody(closed.number);
  }
}

class BodyOfWorker implements BodyListener {
  /** The lane's. */
  number = 0;
  /** The worker's number of the step under way. */
  call: number;
  isLast = false;
  readonly #send: Send;
  readonly #forget: () => void;

  constructor(call: number, send: Send, forget: () => void) {
    this.call = call;
    this.#send = send;
    this.#forget = forget;
  }

  onBodyOpened(isWanted: boolean): void {
    if (!isWanted) this.#forget();
    this.#send(PROCESS_FRAMES.stepDone, this.call, isWanted ? WANTED : UNWANTED);
  }

  onBodyFed(bytes: string): void {
    if (this.isLast) this.#forget();
    this.#send(PROCESS_FRAMES.stepDone, this.call, bytes);
  }

  onBodyFailure(reason: Parameters<BodyListener['onBodyFailure']>[0], detail: string): void {
    this.#forget();
    if (reason === 'error') this.#send(PROCESS_FRAMES.stepFailed, this.call, describe(detail));
    else this.#send(PROCESS_FRAMES.failed, this.call, `${reason}\n${detail}`);
  }
}

/** JSON of a GuestError that says everything in its message. */
function describe(message: string): string {
  return JSON.stringify({ plugin: '', phase: '', name: 'Error', message, stack: '' });
}
