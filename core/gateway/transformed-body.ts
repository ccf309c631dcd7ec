/** The body of a request that plugins transform on its way to the service: what comes out of a pipe. */
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { BodyReader, RequestBody } from '../http/request-body.ts';
import { BodyPipe, type PipeEvents, type PipeStage } from './body-pipe.ts';

export interface TransformedBodyEvents {
  /** Once, later. False: no plugin has anything to do to it, and the body is as it was. */
  onOpened(isWanted: boolean): void;
  /** What the service has got is not the whole, and no more will come. */
  onFailure(reason: string, detail: string): void;
  onPhaseLog(lines: readonly LogLine[]): void;
}

export class TransformedBody implements RequestBody, BodyReader, PipeEvents {
  readonly declaredLength = undefined;
  readonly #source: RequestBody;
  readonly #events: TransformedBodyEvents;
  readonly #pipe: BodyPipe;
  #reader: BodyReader | undefined;
  #isStarted = false;
  #isComplete = false;

  constructor(source: RequestBody, stages: readonly PipeStage[], events: TransformedBodyEvents) {
    this.#source = source;
    this.#events = events;
    this.#pipe = new BodyPipe('request', stages, this);
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What has gone through the plugins cannot go through them again. */
  get canReplay(): boolean {
    return !this.#isStarted && this.#source.canReplay;
  }

  get bytesReceived(): number {
    return this.#source.bytesReceived;
  }

  startReading(reader: BodyReader): boolean {
    if (!this.canReplay) return false;
    this.#isStarted = true;
    this.#reader = reader;
    return this.#source.startReading(this);
  }

  resume(): void {
    this.#pipe.resume();
  }

  stopReading(): void {
    this.#reader = undefined;
    this.#pipe.abort();
    if (this.#isStarted) this.#source.stopReading();
  }

  /** The client has gone. */
  abort(): void {
    this.#pipe.abort();
  }

  readWhole(maxBytes: number): Promise<Uint8Array> {
    return this.#source.readWhole(maxBytes);
  }

  replace(bytes: Uint8Array): void {
    this.#source.replace(bytes);
  }

  onChunk(chunk: Uint8Array): boolean {
    return this.#pipe.feed(chunk);
  }

  onEnd(): void {
    this.#pipe.end();
  }

  onPipeOpened(isWanted: boolean): void {
    this.#events.onOpened(isWanted);
  }

  onPipeBytes(bytes: Uint8Array): boolean {
    return this.#reader?.onChunk(bytes) ?? false;
  }

  onPipeEnd(): void {
    this.#isComplete = true;
    this.#reader?.onEnd();
  }

  onPipeRoom(): void {
    this.#source.resume();
  }

  onPipeFailure(reason: string, detail: string): void {
    this.#events.onFailure(reason, detail);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#events.onPhaseLog(lines);
  }
}
