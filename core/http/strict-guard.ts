/**
 * From what Node's parsers say of a request to what the gateway is told of it, or the code to refuse it with. The
 * parsers have refused what could be framed in two ways; the rules of guard.ts come on top.
 */
import type { IncomingMessage } from 'node:http';
import { constants, type IncomingHttpHeaders } from 'node:http2';
import type { ErrorCode } from '../errors.ts';
import type { RequestHead } from './exchange-settings.ts';
import { createInspectedHead, inspectHead } from './guard.ts';
import type { ClientConnection } from './node-exchange.ts';
import { splitTarget } from './request-target.ts';

/** As many as the other ingress takes. */
const MAX_HEADERS = 100;

export interface InspectedRequest {
  readonly head: RequestHead & { readonly isCall: boolean };
  readonly refusal: ErrorCode | undefined;
}

const found = createInspectedHead();

export function inspectHttp1(
  { method = '', url = '', httpVersion, rawHeaders }: IncomingMessage,
  { peerAddress }: ClientConnection,
  maxBodyBytes: number,
): InspectedRequest {
  const headers = lowerNames(rawHeaders);
  const target = splitTarget(url);
  if (target.authority !== undefined) setHost(headers, target.authority);
  const { rawPath, rawQuery } = target;
  let refusal = inspectHead(method, rawPath, rawQuery, headers, found, httpVersion === '1.0');
  refusal ??= judgeVersion(httpVersion, headers);
  refusal ??= judgeSize(headers, found.bodyLength, maxBodyBytes);
  const { host, bodyLength } = found;
  const isRefused = refusal !== undefined && refusal !== 'GW_METHOD_NOT_ALLOWED';
  const head = { method, rawPath, rawQuery, headers, host, bodyLength, peerAddress, isRefused };
  return { head: { ...head, isCall: false }, refusal };
}

/** Of flat headers, as a copy. */
export function lowerNames(rawHeaders: readonly string[]): string[] {
  const headers = rawHeaders.slice();
  for (let at = 0; at < headers.length; at += 2) headers[at] = (headers[at] as string).toLowerCase();
  return headers;
}

/** `rawHeaders` are flat, pseudo-headers included. */
export function inspectHttp2(
  rawHeaders: readonly string[],
  pseudo: IncomingHttpHeaders,
  flags: number,
  { peerAddress }: ClientConnection,
  maxBodyBytes: number,
): InspectedRequest {
  const { ':method': method = '', ':path': path = '', ':authority': authority } = pseudo;
  const headers = authority === undefined ? [] : ['host', authority];
  let isContradictory = false;
  let cookieAt = -1;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    if (name.startsWith(':')) continue;
    if (name === 'host' && authority !== undefined) isContradictory ||= value !== authority;
    // Clients send one cookie a line, and HTTP/1 knows one line only (RFC 9113 section 8.2.3).
    else if (name === 'cookie' && cookieAt >= 0) headers[cookieAt] += `; ${value}`;
    else {
      headers.push(name, value);
      if (name === 'cookie') cookieAt = headers.length - 1;
    }
  }
  const { rawPath, rawQuery } = splitTarget(path);
  const hasEnded = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  let refusal = inspectHead(method, rawPath, rawQuery, headers, found);
  if (isContradictory) refusal ??= 'GW_BAD_REQUEST';
  const bodyLength = hasEnded ? 0 : found.bodyLength === 0 ? -1 : found.bodyLength;
  refusal ??= judgeSize(headers, bodyLength, maxBodyBytes);
  const isCall = pseudo['content-type']?.startsWith('application/grpc') === true;
  const isRefused = refusal !== undefined;
  const head = { method, rawPath, rawQuery, headers, host: found.host, bodyLength, peerAddress, isRefused };
  return { head: { ...head, isCall }, refusal };
}

function setHost(headers: string[], authority: string): void {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === 'host') headers[at + 1] = authority;
  if (!headers.some((name, at) => at % 2 === 0 && name === 'host')) headers.push('host', authority);
}

function judgeVersion(httpVersion: string, headers: readonly string[]): ErrorCode | undefined {
  if (httpVersion === '1.1') return undefined;
  if (httpVersion !== '1.0') return 'GW_BAD_REQUEST';
  // HTTP/1.0 knows no chunks: whoever does not look at the version reads another body.
  const hasEncoding = headers.some((name, at) => at % 2 === 0 && name === 'transfer-encoding');
  return hasEncoding ? 'GW_BAD_REQUEST' : undefined;
}

function judgeSize(
  headers: readonly string[],
  bodyLength: number,
  maxBodyBytes: number,
): ErrorCode | undefined {
  if (headers.length > 2 * MAX_HEADERS) return 'GW_HEADERS_TOO_LARGE';
  return bodyLength > maxBodyBytes ? 'GW_BODY_TOO_LARGE' : undefined;
}
