/**
 * Undoes the chunked framing of a response body, strictly: sizes in hexadecimal of bounded length, every CRLF in
 * its place. Chunk extensions and trailers are checked, bounded and dropped. Bytes in, positions out; no copies.
 */
import { TOKEN_BYTES, VALUE_BYTES } from './response-head.ts';

/** 13 hexadecimal digits stay below 2^53, so sizes are exact. */
const MAX_SIZE_DIGITS = 13;
/** All chunk extensions of one response together: nobody needs them, and they cost CPU without carrying data. */
const MAX_EXTENSION_BYTES = 16_384;
const MAX_TRAILER_BYTES = 16_384;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const COLON = 58;

const AT_SIZE = 0;
const AT_EXTENSION = 1;
const AT_SIZE_LF = 2;
const AT_DATA = 3;
const AT_DATA_CR = 4;
const AT_DATA_LF = 5;
const AT_TRAILER_START = 6;
const AT_TRAILER_NAME = 7;
const AT_TRAILER_VALUE = 8;
const AT_TRAILER_LF = 9;
const AT_LAST_LF = 10;

const HEX_VALUES = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX_VALUES[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUES[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** 'data': `dataStart` to `position` is body. 'more': all bytes used up. 'complete': the body ended before `position`. */
export type ChunkStep = 'data' | 'more' | 'complete' | 'malformed';

export class ChunkedDecoder {
  dataStart = 0;
  /** First byte not yet used. */
  position = 0;
  malformedReason = '';

  private state = AT_SIZE;
  private sizeDigits = 0;
  private remaining = 0;
  private extensionBytes = 0;
  private trailerBytes = 0;

  reset(): void {
    this.state = AT_SIZE;
    this.sizeDigits = 0;
    this.remaining = 0;
    this.extensionBytes = 0;
    this.trailerBytes = 0;
  }

  /** Goes on at `start` until a piece of data, the end of the body, or `end`. */
  advance(bytes: Uint8Array, start: number, end: number): ChunkStep {
    let at = start;
    while (at < end) {
      if (this.state === AT_DATA) {
        this.dataStart = at;
        const taken = Math.min(this.remaining, end - at);
        this.remaining -= taken;
        if (this.remaining === 0) this.state = AT_DATA_CR;
        this.position = at + taken;
        return 'data';
      }
      const reason = this.takeFramingByte(bytes[at++]!);
      if (reason === '') continue;
      this.position = at;
      if (reason === 'complete') return 'complete';
      this.malformedReason = reason;
      return 'malformed';
    }
    this.position = at;
    return 'more';
  }

  /** Returns '' to go on, 'complete', or the reason why the body is malformed. */
  private takeFramingByte(byte: number): string {
    switch (this.state) {
      case AT_SIZE:
        return this.takeSizeByte(byte);
      case AT_EXTENSION:
        if (byte === CR) this.state = AT_SIZE_LF;
        else if (VALUE_BYTES[byte] !== 1) return 'control character in a chunk extension';
        else if (++this.extensionBytes > MAX_EXTENSION_BYTES) return 'chunk extensions too long';
        return '';
      case AT_SIZE_LF:
        if (byte !== LF) return 'chunk size line without LF';
        this.state = this.remaining === 0 ? AT_TRAILER_START : AT_DATA;
        return '';
      case AT_DATA_CR:
        if (byte !== CR) return 'bytes behind chunk data';
        this.state = AT_DATA_LF;
        return '';
      case AT_DATA_LF:
        if (byte !== LF) return 'bytes behind chunk data';
        this.state = AT_SIZE;
        this.sizeDigits = 0;
        this.remaining = 0;
        return '';
      default:
        return this.takeTrailerByte(byte);
    }
  }

  private takeSizeByte(byte: number): string {
    const digit = HEX_VALUES[byte]!;
    if (digit >= 0) {
      if (++this.sizeDigits > MAX_SIZE_DIGITS) return 'chunk size too long';
      this.remaining = this.remaining * 16 + digit;
      return '';
    }
    if (this.sizeDigits === 0) return 'bad chunk size';
    if (byte === CR) this.state = AT_SIZE_LF;
    else if (byte === SEMICOLON) this.state = AT_EXTENSION;
    else return 'bad chunk size';
    return '';
  }

  private takeTrailerByte(byte: number): string {
    if (++this.trailerBytes > MAX_TRAILER_BYTES) return 'trailers too long';
    switch (this.state) {
      case AT_TRAILER_START:
        if (byte === CR) this.state = AT_LAST_LF;
        else if (TOKEN_BYTES[byte] === 1) this.state = AT_TRAILER_NAME;
        else return 'bad trailer name';
        return '';
      case AT_TRAILER_NAME:
        if (byte === COLON) this.state = AT_TRAILER_VALUE;
        else if (TOKEN_BYTES[byte] !== 1) return 'bad trailer name';
        return '';
      case AT_TRAILER_VALUE:
        if (byte === CR) this.state = AT_TRAILER_LF;
        else if (VALUE_BYTES[byte] !== 1) return 'control character in a trailer';
        return '';
      case AT_TRAILER_LF:
        if (byte !== LF) return 'trailer line without LF';
        this.state = AT_TRAILER_START;
        return '';
      default:
        return byte === LF ? 'complete' : 'trailers without LF';
    }
  }
}
