/** A test's request as the gateway sees it, and what of it reaches the service. Pure. */
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { HeaderValues, ServiceRequest, TestRequest } from '../../sdk/testing/kit.ts';
import { findHeader } from '../gateway/find-header.ts';
import { writeRequestHead } from '../gateway/forward-headers.ts';
import { encodePath } from '../gateway/upstream-path.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import { normalizePath } from '../router/normalize-path.ts';

const PORT = 8000;
const PRODUCT = 'tollgate/test';

/** Everything of a client's exchange that reading needs; it cannot be answered. */
export type TestExchange = Pick<
  ClientExchange,
  | 'method'
  | 'rawPath'
  | 'rawQuery'
  | 'headers'
  | 'host'
  | 'scheme'
  | 'httpVersion'
  | 'peerAddress'
  | 'localPort'
  | 'receivedAtMs'
>;

/** Flat names and values. */
export function flattenHeaders(headers: HeaderValues): string[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value]),
  );
}

export function toHeaders(flat: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at < flat.length; at += 2) headers.append(flat[at] as string, flat[at + 1] as string);
  return headers;
}

export function bodyBytes({ body = '' }: TestRequest): Buffer {
  return typeof body === 'string' ? Buffer.from(body, 'utf8') : Buffer.from(body);
}

export function toExchange(request: TestRequest, nowMs: number): TestExchange {
  const { method = 'GET', path = '/', scheme = 'http', clientAddress = '127.0.0.1' } = request;
  const mark = path.indexOf('?');
  const given = flattenHeaders(request.headers ?? {});
  const headers = given.map((part, at) => (at % 2 === 0 ? part.toLowerCase() : part));
  const host = findHeader(headers, 'host');
  const length = bodyBytes(request).length;
  if (host === undefined) headers.push('host', 'localhost');
  if (length > 0 && findHeader(headers, 'content-length') === undefined) {
    headers.push('content-length', String(length));
  }
  return {
    method,
    rawPath: mark < 0 ? path : path.slice(0, mark),
    rawQuery: mark < 0 ? undefined : path.slice(mark + 1),
    headers,
    host: host ?? 'localhost',
    scheme,
    httpVersion: '1.1',
    peerAddress: clientAddress,
    localPort: PORT,
    receivedAtMs: nowMs,
  };
}

/** Normalised; the raw one where that is impossible. */
export function pathOf({ rawPath }: TestExchange): string {
  return normalizePath(rawPath) ?? rawPath;
}

/** Throws GatewayError when a header value could split the head. */
export function toServiceRequest(
  request: TestRequest,
  exchange: TestExchange,
  changes: RequestChanges | undefined,
  headerTriples: readonly string[] | null,
): ServiceRequest {
  const method = changes?.method ?? exchange.method;
  const path = changes?.path === undefined ? exchange.rawPath : encodePath(changes.path);
  const body = changes?.body === undefined ? bodyBytes(request) : Buffer.from(changes.body, 'latin1');
  const head = writeRequestHead({
    method,
    target: path,
    exchange,
    host: changes?.target?.host ?? String(request.service?.['host'] ?? exchange.host),
    clientAddress: exchange.peerAddress,
    isTrusted: false,
    strippedPrefix: '',
    requestId: undefined,
    productToken: PRODUCT,
    overrides: headerTriples,
    framing: body.length === 0 ? undefined : { contentLength: body.length },
  });
  return {
    method,
    path,
    query: changes?.rawQuery ?? exchange.rawQuery ?? '',
    headers: readHead(head),
    body: body.toString('utf8'),
    ...(changes?.target && { target: changes.target }),
    ...(changes?.scheme && { scheme: changes.scheme }),
    ...(changes?.retries !== undefined && { retries: changes.retries }),
    ...(changes?.timeouts && { timeouts: changes.timeouts }),
  };
}

function readHead(head: string): Headers {
  const lines = head.split('\r\n').slice(1);
  return toHeaders(
    lines.flatMap((line) => {
      const colon = line.indexOf(': ');
      return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
