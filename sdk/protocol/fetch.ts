/** Requests that the host sends for guests: what may be listed, what is asked, what comes back. */
import { isIpOrCidr, isIpv4, isIpv6 } from '../schema/ip.ts';

export const FETCH_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type FetchMethod = (typeof FETCH_METHODS)[number];

export interface FetchArgument {
  /** Absolute, http or https, without user and password. */
  readonly url: string;
  readonly method: FetchMethod;
  /** Flat names and values. */
  readonly headers: readonly string[];
  /** latin1 text of the body; null for none. */
  readonly body: string | null;
  /** Of everything: redirects and body included. */
  readonly timeoutMs: number;
  readonly followsRedirects: boolean;
}

export interface FetchReply {
  readonly status: number;
  /** Of the last redirect. */
  readonly url: string;
  /** Flat, lower-case names. */
  readonly headers: readonly string[];
  /** latin1 text of the whole body. */
  readonly body: string;
}

export const MAX_FETCH_TIMEOUT_MS = 30_000;
export const DEFAULT_FETCH_TIMEOUT_MS = 5000;

const MAX_URL_LENGTH = 8192;
const MAX_BODY_LENGTH = 1024 * 1024;
const MAX_HEADERS = 64;
const MAX_HEADER_LENGTH = 8192;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** Written by whoever sends: a plugin could desynchronise a shared connection with them. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Throws TypeError on anything else and RangeError on what is too long: a guest may write what it likes. */
export function checkFetchArgument(argument: Readonly<Record<string, unknown>>): FetchArgument {
  const { url, method, headers, body, timeoutMs, followsRedirects } = argument;
  if (typeof url !== 'string') throw new TypeError('url must be a text');
  if (url.length > MAX_URL_LENGTH) throw new RangeError(`url is longer than ${MAX_URL_LENGTH} characters`);
  if (!FETCH_METHODS.includes(method as FetchMethod)) {
    throw new TypeError(`method must be among ${FETCH_METHODS.join(', ')}`);
  }
  if (body !== null && typeof body !== 'string') throw new TypeError('body must be a text');
  if (body !== null && body.length > MAX_BODY_LENGTH)
    throw new RangeError(`body is longer than ${MAX_BODY_LENGTH} bytes`);
  if (!Number.isInteger(timeoutMs) || Number(timeoutMs) < 1 || Number(timeoutMs) > MAX_FETCH_TIMEOUT_MS) {
    throw new RangeError(`timeoutMs must be a whole number up to ${MAX_FETCH_TIMEOUT_MS}`);
  }
  return {
    url,
    method: method as FetchMethod,
    headers: checkHeaders(headers),
    body,
    timeoutMs: Number(timeoutMs),
    followsRedirects: followsRedirects !== false,
  };
}

function checkHeaders(headers: unknown): readonly string[] {
  if (!Array.isArray(headers) || headers.length % 2 === 1 || headers.length > 2 * MAX_HEADERS) {
    throw new TypeError(`headers must be up to ${MAX_HEADERS} names and values`);
  }
  for (let at = 0; at < headers.length; at += 2) {
    const [name, value] = [headers[at] as unknown, headers[at + 1] as unknown];
    if (typeof name !== 'string' || !HEADER_NAME.test(name))
      throw new TypeError('a header has no valid name');
    if (OWN_HEADERS.has(name.toLowerCase())) throw new TypeError(`the header '${name}' cannot be set`);
    if (typeof value !== 'string' || value.length > MAX_HEADER_LENGTH || !isHeaderValue(value)) {
      throw new TypeError(`the header '${name}' has no valid value`);
    }
  }
  return headers as readonly string[];
}

/** Visible latin1, blanks and tabs. */
function isHeaderValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** An origin that may be asked. */
export interface EgressOrigin {
  readonly scheme: 'http' | 'https';
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** Names below `host` are meant, not `host` itself. */
  readonly isWildcard: boolean;
  readonly port: number;
}

const ORIGIN = /^(https?):\/\/(\*\.)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?$/;

/** `https://api.example.com`, `https://*.example.com:8443`; undefined for anything else. */
export function parseEgressOrigin(entry: string): EgressOrigin | undefined {
  const match = ORIGIN.exec(entry);
  if (match === null) return undefined;
  const [, scheme, star, name = '', digits] = match;
  const host = name.startsWith('[') ? name.slice(1, -1) : name;
  const port = digits === undefined ? (scheme === 'https' ? 443 : 80) : Number(digits);
  const isAddress = isIpv4(host) || isIpv6(host);
  if (port > 65_535 || (name.startsWith('[') && !isAddress) || (star !== undefined && isAddress))
    return undefined;
  return { scheme: scheme as 'http' | 'https', host, isWildcard: star !== undefined, port };
}

/** An origin, or addresses that names of origins may stand for although they are private: `10.0.0.0/8`. */
export function isEgressEntry(entry: unknown): boolean {
  return typeof entry === 'string' && (parseEgressOrigin(entry) !== undefined || isIpOrCidr(entry));
}
