/**
 * Frames of the WebSocket protocol (RFC 6455 section 5): read from a server as they come, without waiting for the end of
 * a message, and written for one. Strict: what a server must not send ends the reading.
 */
import { randomFillSync } from 'node:crypto';

/** Random bytes for masks, drawn many at a time. */
const MASKS = Buffer.alloc(4096);
let masksUsed = MASKS.length;

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const MAX_CONTROL_BYTES = 125;
const FIN = 0x80;
const MASKED = 0x80;
const RESERVED = 0x70;

export interface FrameListener {
  /** A piece of a message, only valid during the call. `isFirst` and `isLast`: of the message. */
  onPiece(payload: Uint8Array, isBinary: boolean, isFirst: boolean, isLast: boolean): void;
  onControl(opcode: typeof CLOSE | typeof PING | typeof PONG, payload: Buffer): void;
}

/** Reads the frames of a server, which are not masked. */
export class FrameReader {
  private readonly listener: FrameListener;
  /** Bytes of a frame's head until it is complete. */
  private readonly head = Buffer.alloc(10);
  private headLength = 0;
  private isPayload = false;
  private opcode = 0;
  private isFin = false;
  private remaining = 0;
  private control: Buffer = Buffer.alloc(0);
  private isInMessage = false;
  private isBinary = false;
  private hasDelivered = false;

  constructor(listener: FrameListener) {
    this.listener = listener;
  }

  /** All frames so far are complete: another one may follow. */
  get isAtBoundary(): boolean {
    return !this.isPayload && this.headLength === 0;
  }

  /** False when these are no frames a server may send; then it must not be called again. */
  feed(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length || (this.isPayload && this.remaining === 0)) {
      if (this.isPayload) {
        const taken = Math.min(this.remaining, bytes.length - at);
        this.takePayload(bytes.subarray(at, at + taken));
        at += taken;
      } else {
        this.head[this.headLength++] = bytes[at++] as number;
        if (!this.takeHead()) return false;
      }
    }
    return true;
  }

  /** False for a head that is not allowed. */
  private takeHead(): boolean {
    if (this.headLength < 2) return true;
    const first = this.head[0] as number;
    const second = this.head[1] as number;
    const shortLength = second & 0x7f;
    if ((first & RESERVED) !== 0 || (second & MASKED) !== 0) return false;
    const needed = shortLength === 127 ? 10 : shortLength === 126 ? 4 : 2;
    if (this.headLength < needed) return true;
    this.remaining =
      needed === 2
        ? shortLength
        : needed === 4
          ? this.head.readUInt16BE(2)
          : Number(this.head.readBigUInt64BE(2));
    this.opcode = first & 0x0f;
    this.isFin = (first & FIN) !== 0;
    this.headLength = 0;
    this.isPayload = true;
    this.hasDelivered = false;
    return Number.isSafeInteger(this.remaining) && this.isAllowed();
  }

  private isAllowed(): boolean {
    switch (this.opcode) {
      case CONTINUATION:
        return this.isInMessage;
      case TEXT:
      case BINARY:
        this.isBinary = this.opcode === BINARY;
        return !this.isInMessage;
      case CLOSE:
      case PING:
      case PONG:
        this.control = Buffer.alloc(0);
        return this.isFin && this.remaining <= MAX_CONTROL_BYTES;
      default:
        return false;
    }
  }

  private takePayload(payload: Uint8Array): void {
    this.remaining -= payload.length;
    const isWhole = this.remaining === 0;
    if (isWhole) this.isPayload = false;
    if (this.opcode >= CLOSE) {
      this.control = Buffer.concat([this.control, payload]);
      if (isWhole) this.listener.onControl(this.opcode as typeof CLOSE, this.control);
      return;
    }
    const isFirst = this.opcode !== CONTINUATION && !this.hasDelivered;
    const isLast = isWhole && this.isFin;
    this.hasDelivered = true;
    this.isInMessage = !isLast;
    this.listener.onPiece(payload, this.isBinary, isFirst, isLast);
  }
}

/** One frame as a client sends it: masked, and whole. */
export function writeMaskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length > 0xffff ? 8 : length > 125 ? 2 : 0;
  const start = 2 + extra + 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN | opcode;
  frame[1] = MASKED | (extra === 8 ? 127 : extra === 2 ? 126 : length);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  else if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = frame.subarray(start - 4, start);
  if (masksUsed === MASKS.length) {
    randomFillSync(MASKS);
    masksUsed = 0;
  }
  MASKS.copy(mask, 0, masksUsed, masksUsed + 4);
  masksUsed += 4;
  for (let at = 0; at < length; at++) frame[start + at] = (payload[at] as number) ^ (mask[at & 3] as number);
  return frame;
}

/** The payload of a close frame: empty without a code. */
export function writeClosePayload(code: number | undefined, reason = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const text = Buffer.from(reason, 'utf8');
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(code);
  text.copy(payload, 2);
  return payload;
}

/** A close frame of a server, with a code and nothing else. */
export function writeCloseFrame(code: number): Buffer {
  return Buffer.from([FIN | CLOSE, 2, code >> 8, code & 0xff]);
}
