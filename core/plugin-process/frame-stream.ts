/**
 * Frames over a socket: those written in one turn of the event loop leave together, as one batch of UTF-8 behind its
 * length in bytes. A batch that is no batch ends the stream.
 */
import type { Duplex } from 'node:stream';
import { decodeFrames, encodeFrame } from '../../sdk/protocol/frames.ts';

export interface FrameReader {
  onFrame(kind: string, id: number, payload: string): void;
  /** The other side is gone, or has said what is no batch of frames. Once. */
  onEnd(problem: string | undefined): void;
}

const LENGTH_BYTES = 4;
/** Larger than any body or configuration that is ever handed over. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

export class FrameStream {
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  #outgoing = '';
  #isScheduled = false;
  #isEnded = false;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Of the batch that is arriving; -1 before its length is known. */
  #awaitedBytes = -1;

  constructor(socket: Duplex, reader: FrameReader) {
    this.#socket = socket;
    this.#reader = reader;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: Error) => this.#end(error.message));
    socket.on('close', () => this.#end(undefined));
    socket.on('end', () => this.#end(undefined));
  }

  /** Bytes that the other side has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength + this.#outgoing.length;
  }

  write(kind: string, id: number, payload: string): void {
    this.writeEncoded(encodeFrame(kind, id, payload));
  }

  /** `frame` as `encodeFrame` has made it. */
  writeEncoded(frame: string): void {
    if (this.#isEnded) return;
    this.#outgoing += frame;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushScheduled);
  }

  flush(): void {
    if (this.#outgoing === '' || this.#isEnded) return;
    const bytes = Buffer.byteLength(this.#outgoing, 'utf8');
    const batch = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
    batch.writeUInt32LE(bytes, 0);
    batch.write(this.#outgoing, LENGTH_BYTES, 'utf8');
    this.#outgoing = '';
    this.#socket.write(batch);
  }

  /** Says nothing more and hears nothing more. */
  close(): void {
    this.flush();
    this.#isEnded = true;
    this.#socket.destroy();
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    while (!this.#isEnded) {
      if (this.#awaitedBytes < 0) {
        if (this.#receivedBytes < LENGTH_BYTES) return;
        this.#awaitedBytes = this.#take(LENGTH_BYTES).readUInt32LE(0);
        if (this.#awaitedBytes > MAX_BATCH_BYTES) this.#end('a batch is too large');
      }
      if (this.#receivedBytes < this.#awaitedBytes) return;
      const batch = this.#take(this.#awaitedBytes);
      this.#awaitedBytes = -1;
      this.#read(batch.toString('utf8'));
    }
  }

  #read(text: string): void {
    try {
      decodeFrames(text, 0, (kind, id, payload) => {
        if (!this.#isEnded) this.#reader.onFrame(kind, id, payload);
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#end(error.message);
    }
  }

  /** The first so many bytes of what has been received. */
  #take(count: number): Buffer {
    const whole = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    this.#received = count < whole.length ? [whole.subarray(count)] : [];
    this.#receivedBytes = whole.length - count;
    return whole.subarray(0, count);
  }

  #end(problem: string | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.destroy();
    this.#reader.onEnd(problem);
  }
}
