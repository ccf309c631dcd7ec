/**
 * Refuses requests whose framing, target or Host could be read differently by somebody else on the path, before
 * any other part of the gateway sees them. The HTTP library lets several of them through to its handler; every
 * rule here closes such a gap or a rule of contract/proxy.md section 6.5. Pure: it only looks.
 */
import type { ErrorCode } from '../errors.ts';

/** One buffer for the request line, and one header line at most as long (contract/proxy.md section 6.5). */
const MAX_LINE_BYTES = 8192;
/** " HTTP/1.1" and the space before the target. */
const REQUEST_LINE_EXTRA_BYTES = 10;

const METHOD = /^[A-Z_-]+$/;
/** A fragment is the browser's own business; some servers cut it off, and so would see another path than we matched. */
const TARGET_REFUSED = /[^\x21-\x7e]|#/;
const CONTENT_LENGTH = /^\d{1,15}$/;
const VALUE_UNUSUAL = /[^\t\x20-\x7e]/;
/** U+FFFD stands for bytes that were not UTF-8: what the client sent is lost, so it cannot be forwarded. */
const VALUE_REFUSED = /[\x00-\x08\x0a-\x1f\x7f\ufffd]/;
/** A registered name, an IPv4 address or an IP literal, with or without a port (RFC 3986 section 3.2.2). */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::\d{0,5})?$/;

/** What the guard learned on its way about a request it lets pass; one object, filled anew for each request. */
export interface InspectedHead {
  host: string | undefined;
  /** Number of bytes announced; -1 for a chunked body, 0 for no body. */
  bodyLength: number;
  /** Another protocol is asked for. */
  hasUpgrade: boolean;
  /** Some header value holds more than ASCII; the library has decoded it as UTF-8. */
  hasForeignText: boolean;
}

/** A fresh result for `inspectHead` to fill. */
export function createInspectedHead(): InspectedHead {
  return { host: undefined, bodyLength: 0, hasUpgrade: false, hasForeignText: false };
}

let lastGoodHost: string | undefined;

/**
 * Examines a request head and fills `found`. Returns the code to refuse it with, or undefined to let it pass.
 * `headers` is flat with lower-case names; `target` is the path without the query. `canLackHost`: in HTTP/1.0.
 */
export function inspectHead(
  method: string,
  target: string,
  query: string | undefined,
  headers: readonly string[],
  found: InspectedHead,
  canLackHost = false,
): ErrorCode | undefined {
  const framing = inspectHeaders(headers, found, canLackHost);
  return framing ?? inspectRequestLine(method, target, query);
}

function inspectRequestLine(
  method: string,
  target: string,
  query: string | undefined,
): ErrorCode | undefined {
  const targetLength = target.length + (query === undefined ? 0 : query.length + 1);
  if (method.length + targetLength + REQUEST_LINE_EXTRA_BYTES > MAX_LINE_BYTES) return 'GW_URI_TOO_LONG';
  if (method === 'TRACE' || method === 'CONNECT') return 'GW_METHOD_NOT_ALLOWED';
  if (method !== 'GET' && method !== 'POST' && !METHOD.test(method)) return 'GW_BAD_REQUEST';
  if (target.charCodeAt(0) !== 0x2f || TARGET_REFUSED.test(target)) return 'GW_BAD_REQUEST';
  if (query !== undefined && TARGET_REFUSED.test(query)) return 'GW_BAD_REQUEST';
  return undefined;
}

function inspectHeaders(
  headers: readonly string[],
  found: InspectedHead,
  canLackHost: boolean,
): ErrorCode | undefined {
  let hosts = 0;
  let lengths = 0;
  let encodings = 0;
  let refusal: ErrorCode | undefined;
  found.host = undefined;
  found.bodyLength = 0;
  found.hasUpgrade = false;
  found.hasForeignText = false;
  let encoding = '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (VALUE_UNUSUAL.test(value)) {
      if (VALUE_REFUSED.test(value)) refusal = 'GW_BAD_REQUEST';
      found.hasForeignText = true;
    }
    if (name.length + value.length + 4 > MAX_LINE_BYTES) refusal = 'GW_HEADERS_TOO_LARGE';
    if (name === 'host') {
      hosts++;
      found.host = value;
    } else if (name === 'content-length') {
      lengths++;
      // "+5", "5,5", "" and the like are refused too: NaN is never a safe integer.
      found.bodyLength = CONTENT_LENGTH.test(value) ? Number(value) : Number.NaN;
    } else if (name === 'transfer-encoding') {
      encodings++;
      encoding = value;
    } else if (name === 'upgrade') {
      found.hasUpgrade = true;
    }
  }
  if (lengths + encodings > 0) {
    const code = judgeFraming(lengths, encodings, encoding, found);
    if (code !== undefined) return code;
  }
  if (refusal !== undefined) return refusal;
  if (hosts === 1 && isGoodHost(found.host as string)) return undefined;
  return hosts === 0 && canLackHost ? undefined : 'GW_BAD_REQUEST';
}

function judgeFraming(
  lengths: number,
  encodings: number,
  encoding: string,
  found: InspectedHead,
): ErrorCode | undefined {
  if (encodings === 0 && lengths === 1 && Number.isSafeInteger(found.bodyLength)) return undefined;
  if (lengths === 0 && encodings === 1 && encoding.toLowerCase() === 'chunked') {
    found.bodyLength = -1;
    return undefined;
  }
  return lengths === 0 && encodings === 1 ? 'GW_TRANSFER_ENCODING_UNKNOWN' : 'GW_BAD_REQUEST';
}

function isGoodHost(host: string): boolean {
  if (host === lastGoodHost) return true;
  if (!HOST.test(host) || host.includes('..')) return false;
  lastGoodHost = host;
  return true;
}
