/**
 * Percent-decoding byte by byte, as nginx does it: a malformed escape stays as it is instead of failing, and raw
 * bytes count as themselves. Text is expected the way Node hands out request targets, one character a byte.
 */

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** The bytes of `text`. `plusIsSpace` is the rule of query strings and forms. */
export function decodePercentBytes(text: string, plusIsSpace: boolean): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (!text.includes('%') && !(plusIsSpace && text.includes('+'))) return bytes;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === PERCENT ? escapedByte(text, at) : undefined;
    if (escaped !== undefined) at += 2;
    bytes[length++] = escaped ?? (plusIsSpace && byte === PLUS ? SPACE : byte);
  }
  return bytes.subarray(0, length);
}

function escapedByte(text: string, at: number): number | undefined {
  const digits = text.slice(at + 1, at + 3);
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

/** A captured path segment as text; bytes that are not UTF-8 become U+FFFD. */
export function decodeSegment(raw: string): string {
  return decodePercentBytes(raw, false).toString('utf8');
}

/** 1-based position of the first byte that does not belong to a UTF-8 sequence; undefined when all do. */
export function invalidUtf8Position(bytes: Uint8Array): number | undefined {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at + 1;
    at += length;
  }
  return undefined;
}

/** Length of the well-formed sequence at `at`, 0 when there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let offset = 1; offset < length; offset++) {
    const byte = bytes[at + offset] ?? 0;
    const isFirstContinuation = offset === 1;
    if (byte < (isFirstContinuation ? lowest : 0x80) || byte > (isFirstContinuation ? highest : 0xbf))
      return 0;
  }
  return length;
}
