/** Leads a body through the transformers of a plugin by the gateway's own pipe, one piece after the other. */
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import { BodyPipe, type PipeEvents } from '../gateway/body-pipe.ts';
import type { BodyLane, BodyListener } from '../pipeline/phase-lane.ts';

export interface BodyToPass {
  readonly direction: BodyDirection;
  /** As encode-call.ts writes it. */
  readonly call: string;
  /** None of them is empty. */
  readonly pieces: readonly Uint8Array[];
}

/** Resolves to the pieces that come out; undefined where the plugin lets the body pass. `fail` makes what it rejects with. */
export function passBody(
  lane: BodyLane,
  { direction, call, pieces }: BodyToPass,
  fail: (reason: string, detail: string) => Error,
): Promise<readonly Buffer[] | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = [...pieces];
    const passed: Buffer[] = [];
    let hasEnded = false;
    // In a gateway pieces may meet in the pipe and travel together; here each has it to itself.
    const feedNext = (): void => {
      const next = waiting.shift();
      if (next !== undefined) pipe.feed(next);
      else if (!hasEnded) {
        hasEnded = true;
        pipe.end();
      }
    };
    const events: PipeEvents = {
      onPipeOpened(isWanted) {
        if (isWanted) feedNext();
        else resolve(undefined);
      },
      onPipeBytes: (bytes) => passed.push(Buffer.from(bytes)) > 0,
      onPipeEnd: () => resolve(passed),
      onPipeRoom: () => {},
      onPipeFailure: (reason, detail) => reject(fail(reason, detail)),
      onPhaseLog: () => {},
    };
    const pipe = new BodyPipe(direction, [{ lane: new WatchedLane(lane, feedNext), call }], events);
  });
}

/** Tells when nothing of a body is in the lane any more. */
class WatchedLane implements BodyLane {
  readonly #lane: BodyLane;
  readonly #onIdle: () => void;
  #steps = 0;

  constructor(lane: BodyLane, onIdle: () => void) {
    this.#lane = lane;
    this.#onIdle = onIdle;
  }

  openBody(direction: BodyDirection, call: string, listener: BodyListener): number {
    return this.#lane.openBody(direction, call, {
      onBodyOpened: (isWanted) => listener.onBodyOpened(isWanted),
      onBodyFed: (bytes) => {
        this.#steps--;
        // The pipe goes on at once with what it holds of a large piece.
        listener.onBodyFed(bytes);
        if (this.#steps === 0) this.#onIdle();
      },
      onBodyFailure: (reason, detail) => listener.onBodyFailure(reason, detail),
    });
  }

  feedBody(body: number, bytes: string, isLast: boolean): void {
    this.#steps++;
    this.#lane.feedBody(body, bytes, isLast);
  }

  closeBody(body: number): void {
    this.#lane.closeBody(body);
  }
}
