/**
 * The normal form of a request path, computed once per request: what routes are compared with and what the
 * upstream path is made from. It knows nothing of routes. Source: contract/proxy.md section 2.3.
 */
import { isUtf8 } from 'node:buffer';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;
const BACKSLASH = 0x5c;

/** Bytes that stay percent-encoded: decoding them would change what the path means. */
const RESERVED = new Set([..."!*'();:@&=+$,/?%#[]"].map((character) => character.charCodeAt(0)));

/** Bytes that are no UTF-8 are shown as lone surrogates from here on: byte 0xff is U+DCFF. */
const RAW_BYTE_BASE = 0xdc00;

/**
 * A dot segment that is one only to servers which read `%2F` or `\` as a slash, or cut `;…` off segments. Such a path
 * would be matched as one thing and served as another.
 */
const HIDDEN_DOT_SEGMENT = /(?:\/|%2F|\\)\.\.?(?:;[^/]*)?(?:\/|%2F|\\|$)/;

/**
 * Normal form of a request target's path, or null when the answer must be 400: not starting with `/`, malformed
 * `%` escape, `%00`, `..` climbing above the root, or a dot segment that only some servers would see.
 *
 * `rawPath` has one code unit per byte received (latin1). The result is text: UTF-8 is decoded. When the bytes
 * are not valid UTF-8, each byte above 0x7f becomes the lone surrogate U+DC00 + byte, so `isWellFormed()` is
 * false and no route matches; nothing is lost, `encodePath` (core/gateway/upstream-path.ts) restores the bytes.
 */
export function normalizePath(rawPath: string): string | null {
  if (rawPath.charCodeAt(0) !== SLASH) return null;
  return isPlain(rawPath) ? rawPath : normalizeSlowly(rawPath);
}

/** Nothing to decode, to remove or to merge: true for nearly every request. */
function isPlain(rawPath: string): boolean {
  let previous = 0;
  for (let at = 0; at < rawPath.length; at++) {
    const code = rawPath.charCodeAt(at);
    if (code === PERCENT || code === QUESTION_MARK || code === BACKSLASH || code > 0x7f) return false;
    if (previous === SLASH && (code === SLASH || code === DOT)) return false;
    previous = code;
  }
  return true;
}

function normalizeSlowly(rawPath: string): string | null {
  const queryStart = rawPath.indexOf('?');
  const bytes = decodeEscapes(queryStart < 0 ? rawPath : rawPath.slice(0, queryStart));
  const resolved = bytes === null ? null : resolveSegments(bytes);
  return resolved === null || HIDDEN_DOT_SEGMENT.test(resolved) ? null : decodeUtf8(resolved);
}

/** One code unit per byte in the result. Null for a malformed escape and for `%00`. */
function decodeEscapes(path: string): string | null {
  let decoded = '';
  let copied = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
    const byte = hexDigit(path.charCodeAt(at + 1)) * 16 + hexDigit(path.charCodeAt(at + 2));
    if (Number.isNaN(byte) || byte === 0) return null;
    decoded += path.slice(copied, at);
    decoded += RESERVED.has(byte) ? path.slice(at, at + 3).toUpperCase() : String.fromCharCode(byte);
    copied = at + 3;
  }
  return decoded + path.slice(copied);
}

/** Value of a hex digit, NaN for anything else (the end of the text included). */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

/** Removes dot segments and merges slashes. Null when `..` climbs above the root. */
function resolveSegments(path: string): string | null {
  const segments = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return null;
  }
  if (kept.length === 0) return '/';
  const last = segments.at(-1);
  const endsInSlash = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${endsInSlash ? '/' : ''}`;
}

function decodeUtf8(path: string): string {
  if (!/[^\x00-\x7f]/.test(path)) return path;
  const bytes = Buffer.from(path, /[^\x00-\xff]/.test(path) ? 'utf8' : 'latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return path.replace(/[^\x00-\x7f]/g, (byte) => String.fromCharCode(RAW_BYTE_BASE + byte.charCodeAt(0)));
}
