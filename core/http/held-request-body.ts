/**
 * A request body as it comes from a client: held in memory from its first byte up to a limit, so that it
 * can be read again for another attempt, and streamed beyond it with the client paused when nobody keeps up.
 */
import { GatewayError } from '../errors.ts';
import type { BodyReader, RequestBody } from './request-body.ts';

/** The part of a connection a body needs. */
export interface BodySource {
  pauseReading(): void;
  resumeReading(): void;
}

interface WholeBodyWaiter {
  readonly maxBytes: number;
  resolve(bytes: Uint8Array): void;
  reject(error: GatewayError): void;
}

export class HeldRequestBody implements RequestBody {
  /** Length of what a reader gets: the announced one, or that of the bytes put in its place. */
  declaredLength: number | undefined;
  isComplete = false;
  canReplay = true;
  bytesReceived = 0;
  /** Nobody reads any more: bytes are counted and dropped. */
  isDiscarding = false;
  bytesDiscarded = 0;

  private readonly source: BodySource;
  private readonly maxHeldBytes: number;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private reader: BodyReader | undefined;
  private waiter: WholeBodyWaiter | undefined;

  constructor(source: BodySource, declaredLength: number | undefined, maxHeldBytes: number) {
    this.source = source;
    this.declaredLength = declaredLength;
    this.maxHeldBytes = maxHeldBytes;
  }

  /** Takes the next bytes, which the body keeps, and whether they are the last. Called by the exchange. */
  accept(chunk: Uint8Array, isLast: boolean): void {
    this.count(chunk.length, isLast);
    const reader = this.reader;
    if (chunk.length > 0) this.holdUnlessFull(chunk);
    if (this.waiter !== undefined) this.serveWaiter();
    else if (reader === undefined) this.pauseWhenFull();
    else this.feedReader(reader, chunk);
  }

  /** Counts bytes that nobody wants. */
  skip(byteCount: number, isLast: boolean): void {
    this.count(byteCount, isLast);
    this.bytesDiscarded += byteCount;
  }

  /** Drops what is held and what still comes: the answer is out or on its way, nobody reads any more. */
  discard(): void {
    this.isDiscarding = true;
    this.reader = undefined;
    this.waiter = undefined;
    this.dropHeld();
    this.source.resumeReading();
  }

  startReading(reader: BodyReader): boolean {
    if (!this.canReplay || this.isDiscarding) return false;
    this.reader = reader;
    let wantsMore = true;
    // A reader may give up, or be replaced, while it is being fed.
    for (const chunk of this.held.slice()) {
      wantsMore = reader.onChunk(chunk);
      if (this.reader !== reader) return true;
    }
    if (this.isComplete) reader.onEnd();
    else if (wantsMore) this.source.resumeReading();
    else this.source.pauseReading();
    if (this.heldBytes > this.maxHeldBytes) this.dropHeld();
    return true;
  }

  resume(): void {
    if (this.reader !== undefined) this.source.resumeReading();
  }

  stopReading(): void {
    this.reader = undefined;
    if (!this.isComplete) this.pauseWhenFull();
  }

  readWhole(maxBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!this.canReplay) {
        reject(new GatewayError('GW_INTERNAL', 'the beginning of the request body is no longer held'));
        return;
      }
      this.waiter = { maxBytes, resolve, reject };
      this.serveWaiter();
      if (this.waiter !== undefined) this.source.resumeReading();
    });
  }

  replace(bytes: Uint8Array): void {
    this.held = [bytes];
    this.heldBytes = bytes.length;
    this.declaredLength = bytes.length;
  }

  private count(byteCount: number, isLast: boolean): void {
    this.bytesReceived += byteCount;
    if (isLast) this.isComplete = true;
  }

  private serveWaiter(): void {
    const waiter = this.waiter;
    if (waiter === undefined) return;
    if (this.heldBytes > waiter.maxBytes || (this.declaredLength ?? 0) > waiter.maxBytes) {
      this.waiter = undefined;
      this.pauseWhenFull();
      waiter.reject(
        new GatewayError('GW_BODY_TOO_LARGE', `the request body exceeds ${waiter.maxBytes} bytes`),
      );
    } else if (this.isComplete) {
      this.waiter = undefined;
      waiter.resolve(this.joinHeld());
    }
  }

  private joinHeld(): Uint8Array {
    const only = this.held.length === 1 ? this.held[0] : undefined;
    const whole = only ?? Buffer.concat(this.held, this.heldBytes);
    this.held = [whole];
    return whole;
  }

  /** Without a reader bytes must be held whatever it takes; the client is paused then, so it is one read more. */
  private holdUnlessFull(chunk: Uint8Array): void {
    if (!this.canReplay) return;
    const mayDrop = this.reader !== undefined && this.waiter === undefined;
    if (mayDrop && this.heldBytes + chunk.length > this.maxHeldBytes) {
      this.dropHeld();
      return;
    }
    this.held.push(chunk);
    this.heldBytes += chunk.length;
  }

  private dropHeld(): void {
    this.canReplay = false;
    this.held = [];
    this.heldBytes = 0;
  }

  private pauseWhenFull(): void {
    if (!this.isComplete && this.heldBytes >= this.maxHeldBytes) this.source.pauseReading();
  }

  private feedReader(reader: BodyReader, chunk: Uint8Array): void {
    if (chunk.length > 0 && !reader.onChunk(chunk) && !this.isComplete) this.source.pauseReading();
    if (this.isComplete && this.reader === reader) reader.onEnd();
  }
}
