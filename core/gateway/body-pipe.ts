/**
 * A body on its way through the plugins that transform it: package after package, one piece at a time. What arrives
 * meanwhile is held, up to a bound beyond which its source has to pause, and travels together. Nothing waits for more to
 * come, so an event goes on as soon as the one before it has.
 */
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { BodyLane, BodyListener } from '../pipeline/phase-lane.ts';

/** Bytes that cross at once: others wait for the crossing too. */
const PIECE_BYTES = 16_384;
/** With so many waiting the source pauses. */
const MAX_HELD_BYTES = 65_536;

/** A package that may have something to do to it. */
export interface PipeStage {
  readonly lane: BodyLane;
  /** As encode-call.ts writes it. */
  readonly call: string;
}

/** Where the body comes from and goes to. Nothing is called within `feed`, `end` or `resume`, nor after `abort`. */
export interface PipeEvents {
  /** Once, before anything is fed. False: nobody has anything to do to it, and the pipe is not needed. */
  onPipeOpened(isWanted: boolean): void;
  /** False: nothing more before `resume`. */
  onPipeBytes(bytes: Uint8Array): boolean;
  onPipeEnd(): void;
  /** The source may go on. */
  onPipeRoom(): void;
  /** Nothing more comes: what came out so far is not the whole. */
  onPipeFailure(reason: string, detail: string): void;
  onPhaseLog(lines: readonly LogLine[]): void;
}

export class BodyPipe {
  readonly #stages: Stage[] = [];
  readonly #events: PipeEvents;
  /** Latin1 texts, not yet given to anybody. */
  #held: string[] = [];
  #heldBytes = 0;
  #isSourcePaused = false;
  #hasEnded = false;
  /** A piece is with one of the stages. */
  #isBusy = true;
  #isLastOut = false;
  #isBlocked = false;
  #isOver = false;
  #unopened: number;

  /** `stages` in the order in which they see the body; there is at least one. */
  constructor(direction: BodyDirection, stages: readonly PipeStage[], events: PipeEvents) {
    this.#events = events;
    this.#unopened = stages.length;
    for (const { lane } of stages) this.#stages.push(new Stage(lane, this));
    for (const [at, stage] of this.#stages.entries()) stage.open(direction, stages[at]?.call ?? '');
  }

  /** The bytes are copied. False asks the source to pause until `onPipeRoom`. */
  feed(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1'));
    this.#heldBytes += chunk.length;
    this.#advance();
    this.#isSourcePaused = this.#heldBytes >= MAX_HELD_BYTES;
    return !this.#isSourcePaused;
  }

  end(): void {
    this.#hasEnded = true;
    this.#advance();
  }

  /** The taker can take bytes again. */
  resume(): void {
    this.#isBlocked = false;
    this.#advance();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = [];
    for (const stage of this.#stages) stage.close();
  }

  onStageOpened(): void {
    if (this.#isOver || --this.#unopened > 0) return;
    const isWanted = this.#stages.some(({ isWanted }) => isWanted);
    this.#isOver = !isWanted;
    this.#isBusy = false;
    this.#events.onPipeOpened(isWanted);
    if (isWanted) this.#advance();
  }

  onStageFed(stage: Stage, bytes: string): void {
    if (!this.#isOver) this.#pass(this.#stages.indexOf(stage) + 1, bytes);
  }

  onStageFailure(reason: string, detail: string): void {
    if (this.#isOver) return;
    this.abort();
    this.#events.onPipeFailure(reason, detail);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#events.onPhaseLog(lines);
  }

  #advance(): void {
    if (this.#isBusy || this.#isBlocked || this.#isOver || this.#isLastOut) return;
    const bytes = this.#takeHeld();
    const isLast = this.#hasEnded && this.#held.length === 0;
    if (bytes === '' && !isLast) return;
    this.#isBusy = true;
    this.#isLastOut = isLast;
    this.#pass(0, bytes);
  }

  /** Gives a piece to the first of the stages from `first` on that wants any, or to the taker. */
  #pass(first: number, bytes: string): void {
    for (let at = first; at < this.#stages.length && (bytes !== '' || this.#isLastOut); at++) {
      const stage = this.#stages[at];
      if (!stage?.isWanted) continue;
      stage.feed(bytes, this.#isLastOut);
      return;
    }
    this.#emit(bytes);
  }

  #emit(bytes: string): void {
    const events = this.#events;
    if (bytes !== '') this.#isBlocked = !events.onPipeBytes(Buffer.from(bytes, 'latin1'));
    this.#isBusy = false;
    if (this.#isOver) return;
    if (this.#isLastOut) {
      this.#isOver = true;
      events.onPipeEnd();
      return;
    }
    this.#advance();
    if (!this.#isSourcePaused || this.#heldBytes >= MAX_HELD_BYTES) return;
    this.#isSourcePaused = false;
    events.onPipeRoom();
  }

  #takeHeld(): string {
    let bytes = '';
    let taken = 0;
    while (taken < this.#held.length && bytes.length < PIECE_BYTES) bytes += this.#held[taken++];
    const rest = this.#held.slice(taken);
    this.#held = bytes.length > PIECE_BYTES ? [bytes.slice(PIECE_BYTES), ...rest] : rest;
    bytes = bytes.slice(0, PIECE_BYTES);
    this.#heldBytes -= bytes.length;
    return bytes;
  }
}

/** One package, and the body as it knows it. */
class Stage implements BodyListener {
  isWanted = false;
  readonly #lane: BodyLane;
  readonly #pipe: BodyPipe;
  #body = 0;

  constructor(lane: BodyLane, pipe: BodyPipe) {
    this.#lane = lane;
    this.#pipe = pipe;
  }

  open(direction: BodyDirection, call: string): void {
    this.#body = this.#lane.openBody(direction, call, this);
  }

  feed(bytes: string, isLast: boolean): void {
    this.#lane.feedBody(this.#body, bytes, isLast);
  }

  close(): void {
    this.#lane.closeBody(this.#body);
  }

  onBodyOpened(isWanted: boolean): void {
    this.isWanted = isWanted;
    this.#pipe.onStageOpened();
  }

  onBodyFed(bytes: string): void {
    this.#pipe.onStageFed(this, bytes);
  }

  onBodyFailure(reason: string, detail: string): void {
    this.#pipe.onStageFailure(reason, detail);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#pipe.onPhaseLog(lines);
  }
}
