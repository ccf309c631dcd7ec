/**
 * Reads one complete response head: status line and header fields, strictly by RFC 9112. It knows nothing of
 * sockets or of how the head was collected; what is ambiguous is refused, because an answer two parties may
 * read differently is how responses get split.
 */

/** Header fields of one response at most. */
export const MAX_HEADER_COUNT = 200;

/** What a head says, with its framing already understood. Reused from response to response by its parser. */
export class ParsedHead {
  status = 0;
  isHttp11 = false;
  /** Flat [name, value, …] as sent. A new array per head: listeners keep it. */
  headers: string[] = [];
  /** -1 without a Content-Length. */
  contentLength = -1;
  isChunked = false;
  /** By version and Connection header alone; framing may still forbid another request. */
  keepAlive = false;
  /** `timeout` of a Keep-Alive header in seconds: how long the upstream promises to wait. -1 without one. */
  keepAliveSeconds = -1;

  reset(): void {
    this.status = 0;
    this.isHttp11 = false;
    this.headers = [];
    this.contentLength = -1;
    this.isChunked = false;
    this.keepAlive = false;
    this.keepAliveSeconds = -1;
  }
}

const CR = 13;
const LF = 10;
const SP = 32;
const HT = 9;
const COLON = 58;
const LOWER_CASE_BIT = 0x20;
const LETTER_C = 0x63;
const LETTER_K = 0x6b;
const LETTER_T = 0x74;

/** 1 for bytes of a token (RFC 9110 section 5.6.2). */
export const TOKEN_BYTES = byteTable(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);

/** 1 for bytes of a field value: HTAB, SP, visible ASCII, obs-text; no other control character, no DEL. */
export const VALUE_BYTES = new Uint8Array(256);
VALUE_BYTES[HT] = 1;
VALUE_BYTES.fill(1, 0x20, 0x7f);
VALUE_BYTES.fill(1, 0x80, 0x100);

function byteTable(members: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const member of members) table[member.charCodeAt(0)] = 1;
  return table;
}

const isBlank = (byte: number | undefined): boolean => byte === SP || byte === HT;

/**
 * Parses `bytes[start, end)`, which ends with the first CRLF CRLF of the head, into `into`. `text` holds the same
 * bytes as latin1 code units from its index 0 on (it may go on behind the head).
 * Returns '' or the reason why this is not an acceptable head.
 */
export function parseResponseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  text: string,
  into: ParsedHead,
): string {
  into.reset();
  const statusEnd = parseStatusLine(bytes, start, text, into);
  if (statusEnd < 0) return 'bad status line';

  let at = statusEnd;
  let hasLength = false;
  let saysClose = false;
  let saysKeepAlive = false;
  const headers = into.headers;
  while (bytes[at] !== CR) {
    const nameStart = at;
    while (TOKEN_BYTES[bytes[at]!] === 1) at++;
    if (at === nameStart || bytes[at] !== COLON) return 'bad header name';
    const nameEnd = at++;
    while (isBlank(bytes[at])) at++;
    const valueStart = at;
    while (VALUE_BYTES[bytes[at]!] === 1) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return 'control character in a header value';
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
    at += 2;

    if (headers.length === 2 * MAX_HEADER_COUNT) return 'too many headers';
    const name = text.slice(nameStart - start, nameEnd - start);
    const value = text.slice(valueStart - start, valueEnd - start);
    headers.push(name, value);

    // Only the few fields that frame the message are looked at; their first letters and lengths single them out.
    const initial = bytes[nameStart]! | LOWER_CASE_BIT;
    if (initial === LETTER_C) {
      if (name.length === 14 && name.toLowerCase() === 'content-length') {
        // Equal duplicates are refused too: nobody honest sends them.
        if (hasLength) return 'repeated Content-Length';
        hasLength = true;
        into.contentLength = parseContentLength(bytes, valueStart, valueEnd);
        if (into.contentLength < 0) return 'bad Content-Length';
      } else if (name.length === 10 && name.toLowerCase() === 'connection') {
        saysClose ||= hasListMember(value, 'close');
        saysKeepAlive ||= hasListMember(value, 'keep-alive');
      }
    } else if (initial === LETTER_T) {
      if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
        if (into.isChunked || value.toLowerCase() !== 'chunked') return 'unacceptable Transfer-Encoding';
        into.isChunked = true;
      }
    } else if (initial === LETTER_K && name.length === 10 && name.toLowerCase() === 'keep-alive') {
      into.keepAliveSeconds = parseKeepAliveSeconds(value);
    }
  }
  if (at + 2 !== end) return 'bad end of head';
  if (into.isChunked && (hasLength || !into.isHttp11)) return 'both lengths, or chunks from HTTP/1.0';
  into.keepAlive = !saysClose && (into.isHttp11 || saysKeepAlive);
  return '';
}

/** Returns the offset behind the status line, or -1. A missing reason phrase is tolerated, with or without its space. */
function parseStatusLine(bytes: Uint8Array, start: number, text: string, into: ParsedHead): number {
  if (text.startsWith('HTTP/1.1 ')) into.isHttp11 = true;
  else if (!text.startsWith('HTTP/1.0 ')) return -1;
  const hundreds = bytes[start + 9]! - 48;
  const tens = bytes[start + 10]! - 48;
  const ones = bytes[start + 11]! - 48;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1;
  into.status = hundreds * 100 + tens * 10 + ones;
  let at = start + 12;
  if (bytes[at] !== SP && bytes[at] !== CR) return -1;
  while (VALUE_BYTES[bytes[at]!] === 1) at++;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : -1;
}

/** Digits only, at most 15 of them so that the number is exact. -1 for anything else. */
function parseContentLength(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 15) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function hasListMember(list: string, member: string): boolean {
  const lower = list.toLowerCase();
  if (lower === member) return true;
  return lower.includes(',') && lower.split(',').some((entry) => entry.trim() === member);
}

/** Only a hint, so nothing is refused. No pattern matching: some servers send it with every answer. */
function parseKeepAliveSeconds(value: string): number {
  const name = 'timeout=';
  const found = value.indexOf(name);
  if (found < 0) return -1;
  const seconds = Number.parseInt(value.slice(found + name.length), 10);
  return seconds >= 0 ? seconds : -1;
}
