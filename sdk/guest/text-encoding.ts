/** Bytes travel over the wall as latin1 text, one character a byte. ECMAScript alone has no TextDecoder. */

const NOT_ASCII = /[^\0-\x7f]/;
const REPLACEMENT = 0xfffd;
/** Arguments that a function takes in one call without a doubt. */
const MAX_ARGUMENTS = 4096;

/** UTF-8 text of the bytes, or the latin1 text itself where they are not valid UTF-8. */
export function textFromBytes(latin1: string): string {
  return decodeUtf8(latin1) ?? latin1;
}

/** UTF-8 text of the bytes; undefined where they are not valid UTF-8. */
export function decodeUtf8(latin1: string): string | undefined {
  return NOT_ASCII.test(latin1) ? decode(latin1, true) : latin1;
}

/** UTF-8 text of the bytes; each that is not valid shows as U+FFFD. */
export function textFromAnyBytes(latin1: string): string {
  return NOT_ASCII.test(latin1) ? (decode(latin1, false) as string) : latin1;
}

function decode(latin1: string, isStrict: boolean): string | undefined {
  const units = new Uint16Array(latin1.length);
  let count = 0;
  for (let at = 0; at < latin1.length; ) {
    const length = lengthOfCharacter(latin1.charCodeAt(at));
    const point = length === 0 ? -1 : pointAt(latin1, at, length);
    if (point < 0) {
      if (isStrict) return undefined;
      units[count++] = REPLACEMENT;
      at++;
      continue;
    }
    if (point > 0xffff) {
      units[count++] = 0xd7c0 + (point >> 10);
      units[count++] = 0xdc00 | (point & 0x3ff);
    } else {
      units[count++] = point;
    }
    at += length;
  }
  return join(units.subarray(0, count));
}

/** Bytes of the UTF-8 character that begins with this one; 0 where none does. */
function lengthOfCharacter(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

/** Smallest code point that takes so many bytes. */
const LEAST_POINTS = [0, 0, 0x80, 0x800, 0x10000];

/** -1 where there is no valid character of this length. */
function pointAt(latin1: string, at: number, length: number): number {
  const first = latin1.charCodeAt(at);
  if (length === 1) return first;
  let point = first & (0x7f >> length);
  for (let next = at + 1; next < at + length; next++) {
    const byte = latin1.charCodeAt(next);
    // Behind the end it is NaN.
    if (!(byte >= 0x80 && byte < 0xc0)) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const isSurrogate = point >= 0xd800 && point < 0xe000;
  return point < (LEAST_POINTS[length] as number) || point > 0x10ffff || isSurrogate ? -1 : point;
}

/** The bytes up to the last character that is there in full, and the beginning of the next one. */
export function splitCharacters(latin1: string): { readonly whole: string; readonly rest: string } {
  const end = latin1.length;
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = latin1.charCodeAt(end - back);
    // A byte that goes on with a character: its first one is further in front.
    if (byte >= 0x80 && byte < 0xc0) continue;
    if (lengthOfCharacter(byte) > back) return { whole: latin1.slice(0, -back), rest: latin1.slice(-back) };
    break;
  }
  return { whole: latin1, rest: '' };
}

/** The bytes, of which `latin1` holds one a character. Many times as fast as `Uint8Array.from`. */
export function arrayFromBytes(latin1: string): Uint8Array {
  const array = new Uint8Array(latin1.length);
  for (let at = 0; at < array.length; at++) array[at] = latin1.charCodeAt(at);
  return array;
}

/** One character a byte. */
export function bytesFromArray(array: Uint8Array): string {
  return join(array);
}

function join(codes: Uint8Array | Uint16Array): string {
  let text = '';
  for (let at = 0; at < codes.length; at += MAX_ARGUMENTS)
    text += String.fromCharCode.apply(null, codes.subarray(at, at + MAX_ARGUMENTS) as unknown as number[]);
  return text;
}

/** The UTF-8 bytes of `text`, one character each. Half a character becomes U+FFFD. */
export function bytesFromText(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  const bytes = new Uint8Array(text.length * 3);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    let point = text.codePointAt(at) as number;
    if (point > 0xffff) at++;
    else if (point >= 0xd800 && point < 0xe000) point = REPLACEMENT;
    if (point < 0x80) {
      bytes[count++] = point;
      continue;
    }
    if (point < 0x800) {
      bytes[count++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x10000) {
        bytes[count++] = 0xe0 | (point >> 12);
      } else {
        bytes[count++] = 0xf0 | (point >> 18);
        bytes[count++] = 0x80 | ((point >> 12) & 0x3f);
      }
      bytes[count++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[count++] = 0x80 | (point & 0x3f);
  }
  return join(bytes.subarray(0, count));
}
