/**
 * Every failure the gateway itself answers a proxied request with, in one table.
 *
 * An error says who is to blame (`source`) and whether another attempt could help (`retryable`), so that
 * decisions read fields, never messages. Branch on `code`. Admin API failures are `EntityError`s
 * (core/store/entity-error.ts): they have Kong's own numbering.
 */

export type ErrorSource = 'client' | 'upstream' | 'plugin' | 'gateway';

/** Class A errors are raised by routing, gates and the balancer; class B by the HTTP layer and failed upstream attempts. */
export type ErrorClass = 'A' | 'B';

interface ErrorEntry {
  readonly status: number;
  readonly message: string;
  readonly source: ErrorSource;
  readonly class: ErrorClass;
  readonly retryable: boolean;
}

const entry = (
  status: number,
  message: string,
  source: ErrorSource,
  errorClass: ErrorClass,
  retryable = false,
): ErrorEntry => ({ status, message, source, class: errorClass, retryable });

const INVALID_RESPONSE = 'An invalid response was received from the upstream server';
const TIMING_OUT = 'The upstream server is timing out';
const UNEXPECTED = 'An unexpected error occurred';

/** Code → status, message, source, class, retryable. Source: contract/proxy.md sections 6.3 and 6.4. */
export const ERROR_CATALOGUE = {
  GW_ROUTE_NOT_FOUND: entry(404, 'no Route matched with those values', 'client', 'A'),
  GW_SERVICE_NOT_FOUND: entry(503, 'no Service found with those values', 'gateway', 'A'),
  GW_HTTPS_REQUIRED: entry(426, 'Please use HTTPS protocol', 'client', 'A'),
  GW_NOT_GRPC: entry(415, 'Non-gRPC request matched gRPC route', 'client', 'A'),
  GW_WEBSOCKET_VERSION: entry(426, 'Please use version 13 of the WebSocket protocol', 'client', 'B'),
  GW_HTTP2_REQUIRED: entry(426, 'Please use HTTP2 protocol', 'client', 'A'),
  GW_NO_PEER: entry(503, 'failure to get a peer from the ring-balancer', 'upstream', 'A'),
  GW_NAME_RESOLUTION_FAILED: entry(503, 'name resolution failed', 'upstream', 'A'),
  /** The servers that know names could not be asked. */
  GW_RESOLVER_FAILED: entry(500, 'failed the initial dns/balancer resolve', 'gateway', 'A'),
  GW_PLUGIN_FAILED: entry(500, UNEXPECTED, 'plugin', 'A'),
  GW_BAD_REQUEST: entry(400, 'Bad request', 'client', 'B'),
  GW_METHOD_NOT_ALLOWED: entry(405, 'Method not allowed', 'client', 'B'),
  GW_REQUEST_TIMEOUT: entry(408, 'Request timeout', 'client', 'B'),
  GW_BODY_TOO_LARGE: entry(413, 'Payload too large', 'client', 'B'),
  GW_URI_TOO_LONG: entry(414, 'URI too long', 'client', 'B'),
  GW_HEADERS_TOO_LARGE: entry(400, 'Request header or cookie too large', 'client', 'B'),
  GW_TRANSFER_ENCODING_UNKNOWN: entry(501, 'Not implemented', 'client', 'B'),
  GW_INTERNAL: entry(500, UNEXPECTED, 'gateway', 'B'),
  /** Refused, unreachable, reset or TLS failure before a byte of the request was sent. */
  GW_UPSTREAM_CONNECT_FAILED: entry(502, INVALID_RESPONSE, 'upstream', 'B', true),
  GW_UPSTREAM_CONNECT_TIMEOUT: entry(504, TIMING_OUT, 'upstream', 'B', true),
  /** The connection ended after (part of) the request was sent and before a response head. */
  GW_UPSTREAM_CLOSED: entry(502, INVALID_RESPONSE, 'upstream', 'B', true),
  GW_UPSTREAM_READ_TIMEOUT: entry(504, TIMING_OUT, 'upstream', 'B', true),
  GW_UPSTREAM_WRITE_TIMEOUT: entry(504, TIMING_OUT, 'upstream', 'B', true),
  /** What came back is not HTTP/1.1, or is ambiguous: two lengths, bad chunk, oversize head, surplus bytes. */
  GW_UPSTREAM_MALFORMED: entry(502, INVALID_RESPONSE, 'upstream', 'B'),
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** A failure of one proxied request. `detail` goes to the log, never to the client. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly source: ErrorSource;
  readonly class: ErrorClass;
  readonly retryable: boolean;
  readonly detail: string | undefined;

  /** `shown` is what the client reads instead of the catalogue's message. */
  constructor(code: ErrorCode, detail?: string, cause?: unknown, shown?: string) {
    const known = ERROR_CATALOGUE[code];
    super(shown ?? known.message, cause === undefined ? undefined : { cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = known.status;
    this.source = known.source;
    this.class = known.class;
    this.retryable = known.retryable;
    this.detail = detail;
  }
}
