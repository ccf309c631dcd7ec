/** Base64 of texts. Reads both alphabets of RFC 4648, padded or not; writes the first one, padded. */
import { bytesFromText, decodeUtf8 } from './guest/text-encoding.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const ENCODED = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Undefined when it is not base64. The bytes stand for text in UTF-8: undefined where they do not. */
export function decodeBase64(encoded: string): string | undefined {
  const bytes = decodeBytes(encoded);
  return bytes === undefined ? undefined : decodeUtf8(bytes);
}

/** Whether it is base64 of anything, text or not. */
export function isBase64(encoded: string): boolean {
  return ENCODED.test(encoded) && digitsOf(encoded).length % 4 !== 1;
}

/** The text as UTF-8. */
export function encodeBase64(text: string): string {
  const bytes = bytesFromText(text);
  let encoded = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
    const digits = Math.min(bytes.length - at, 3) + 1;
    for (let digit = 0; digit < 4; digit++) {
      encoded += digit < digits ? ALPHABET[(group >> (18 - 6 * digit)) & 63] : '=';
    }
  }
  return encoded;
}

/** One character a byte. */
function decodeBytes(encoded: string): string | undefined {
  if (!isBase64(encoded)) return undefined;
  let bytes = '';
  let pending = 0;
  let bits = 0;
  for (const digit of digitsOf(encoded)) {
    pending = ((pending << 6) | valueOfDigit(digit)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += String.fromCharCode((pending >> bits) & 0xff);
  }
  return bytes;
}

function digitsOf(encoded: string): string {
  const end = encoded.indexOf('=');
  return end < 0 ? encoded : encoded.slice(0, end);
}

function valueOfDigit(digit: string): number {
  if (digit === '-') return 62;
  return digit === '_' ? 63 : ALPHABET.indexOf(digit);
}

function byteAt(bytes: string, at: number): number {
  return at < bytes.length ? bytes.charCodeAt(at) : 0;
}
