/**
 * Carries the body of a client's request to an upstream connection as it comes, in chunks or as it is, and pauses
 * the client while the upstream is slow to read.
 */
import type { Socket } from 'node:net';
import type { BodyReader, RequestBody } from '../http/request-body.ts';

/** Told after every write, so that the connection knows whose turn it is. */
export interface SendingProgress {
  onBodyProgress(): void;
}

export class RequestBodySender implements BodyReader {
  /** The last byte was handed to the socket. */
  isFinished = false;

  private readonly body: RequestBody;
  private readonly socket: Socket;
  private readonly isChunked: boolean;
  private readonly progress: SendingProgress;
  private readonly endsSocket: boolean;
  private sentBytes = 0;
  private isStopped = false;

  /** `endsSocket`: nothing else will be sent behind it. */
  constructor(
    body: RequestBody,
    socket: Socket,
    isChunked: boolean,
    progress: SendingProgress,
    endsSocket = false,
  ) {
    this.body = body;
    this.socket = socket;
    this.isChunked = isChunked;
    this.progress = progress;
    this.endsSocket = endsSocket;
  }

  /** False when the beginning of the body is gone. Held bytes are written before it returns. */
  start(): boolean {
    return this.body.startReading(this);
  }

  /** What was sent has the length the head announced. Otherwise the upstream reads the next head as body. */
  get keptItsLength(): boolean {
    const declared = this.body.declaredLength;
    return this.isFinished && (this.isChunked || declared === undefined || declared === this.sentBytes);
  }

  onChunk(chunk: Uint8Array): boolean {
    if (this.isStopped) return false;
    // An empty chunk would end a chunked body.
    if (chunk.length === 0) return true;
    this.sentBytes += chunk.length;
    const socket = this.socket;
    if (this.isChunked) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      socket.write('\r\n', 'latin1');
      socket.uncork();
    } else {
      socket.write(chunk);
    }
    this.progress.onBodyProgress();
    return !socket.writableNeedDrain;
  }

  onEnd(): void {
    if (this.isStopped) return;
    this.isFinished = true;
    if (this.isChunked) this.socket.write('0\r\n\r\n', 'latin1');
    if (this.endsSocket) this.socket.end();
    this.progress.onBodyProgress();
  }

  onDrain(): void {
    if (!this.isFinished && !this.isStopped) this.body.resume();
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.body.stopReading();
  }
}
