/**
 * The body of a client's request: a source of bytes that can be paused, read whole, and, while its beginning is
 * still held in memory, read again for another attempt at the upstream.
 */

export interface BodyReader {
  /** False asks the source to pause until `resume`. The chunk is the reader's to keep. */
  onChunk(chunk: Uint8Array): boolean;
  onEnd(): void;
}

export interface RequestBody {
  /** From Content-Length; undefined for a chunked body. */
  readonly declaredLength: number | undefined;
  /** All bytes have arrived. */
  readonly isComplete: boolean;
  /** The first byte is still held, so `startReading` may be called (again). */
  readonly canReplay: boolean;
  /** Bytes received so far. */
  readonly bytesReceived: number;

  /**
   * Delivers the body from its first byte to `reader`, replacing an earlier reader. Held bytes come synchronously.
   * Nothing is read from the client's connection before the first call beyond what arrived with the head.
   * Returns false, and calls nothing, when the beginning has been dropped.
   */
  startReading(reader: BodyReader): boolean;
  resume(): void;
  /** Takes the reader away; what arrives is held again until memory runs out, then the client is paused. */
  stopReading(): void;

  /**
   * The whole body in one piece, kept for replay. Rejects with GatewayError GW_BODY_TOO_LARGE above `maxBytes`
   * and never settles after the client has aborted (the exchange's `onAborted` tells).
   */
  readWhole(maxBytes: number): Promise<Uint8Array>;
  /** Puts other bytes in the place of a body read whole (a plugin removed a credential from it). */
  replace(bytes: Uint8Array): void;
}
