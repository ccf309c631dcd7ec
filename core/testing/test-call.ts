/** A test's request as the gateway sees it, and what of it reaches the service. Pure. */
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type {
  BodyReport,
  HeaderValues,
  ServiceRequest,
  TestBody,
  TestRequest,
} from '../../sdk/testing/kit.ts';
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

/** Those that hold something, texts in UTF-8. */
export function toPieces(body: TestBody = []): readonly Buffer[] {
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
  return pieces
    .map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : Buffer.from(piece)))
    .filter(({ length }) => length > 0);
}

export function reportBody(pieces: readonly Buffer[]): BodyReport {
  return {
    body: Buffer.concat(pieces).toString('utf8'),
    pieces: pieces.map((piece) => piece.toString('utf8')),
  };
}

export function toExchange(request: TestRequest, nowMs: number): TestExchange {
  const { method = 'GET', path = '/', scheme = 'http', clientAddress = '127.0.0.1' } = request;
  const mark = path.indexOf('?');
  const given = flattenHeaders(request.headers ?? {});
  const headers = given.map((part, at) => (at % 2 === 0 ? part.toLowerCase() : part));
  const host = findHeader(headers, 'host');
  const { length } = Buffer.concat(toPieces(request.body));
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

/** The client's, or what a plugin has put in its place. */
export function bodyToSend(request: TestRequest, changes: RequestChanges | undefined): readonly Buffer[] {
  const { body } = changes ?? {};
  return toPieces(body === undefined ? request.body : Buffer.from(body, 'latin1'));
}

/** `transformed`: the body that goes out, where that is not `bodyToSend`. Throws GatewayError when a header value could split the head. */
export function toServiceRequest(
  request: TestRequest,
  exchange: TestExchange,
  changes: RequestChanges | undefined,
  headerTriples: readonly string[] | null,
  transformed: readonly Buffer[] | undefined,
): ServiceRequest {
  const method = changes?.method ?? exchange.method;
  const path = changes?.path === undefined ? exchange.rawPath : encodePath(changes.path);
  const pieces = transformed ?? bodyToSend(request, changes);
  const contentLength = Buffer.concat(pieces).length;
  const framing = contentLength === 0 ? undefined : { contentLength };
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
    framing: transformed === undefined ? framing : 'chunked',
  });
  return {
    method,
    path,
    query: changes?.rawQuery ?? exchange.rawQuery ?? '',
    headers: readHead(head),
    ...reportBody(pieces),
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
