/**
 * Host → guest: the request as one string of lines. No line can hold a line feed, because neither a request
 * line nor a header can; a header is `name NUL value`, and a NUL can be in neither.
 */

/** Fixed lines of a call, in order; headers follow, one a line, and the text ends with a line feed. */
export const CALL_LINES = {
  generation: 0,
  plan: 1,
  method: 2,
  rawPath: 3,
  /** Empty: no `?`. Otherwise `?` and the text after it. */
  rawQuery: 4,
  /** Normalised path. */
  path: 5,
  scheme: 6,
  httpVersion: 7,
  host: 8,
  localPort: 9,
  peerAddress: 10,
  clientAddress: 11,
  requestId: 12,
  receivedAtMs: 13,
  /** JSON or empty. */
  consumer: 14,
  credential: 15,
  shared: 16,
  /** Numbers of the instances collected so far, comma-separated; `response` and `log` run these. */
  picks: 17,
  /** Phase-specific: access has `run` or `collect`; response has JSON of `ResponseFacts`; log has `encodeLogFacts`. */
  extra: 18,
} as const;

export const CALL_HEADERS_START = 19;

/** `extra` of a response call. Headers are flat, lower-case names. */
export interface ResponseFacts {
  readonly status: number;
  readonly source: ResponseSource;
  readonly headers: readonly string[];
  /** latin1 text of the whole body, when a collected plugin asked for it. */
  readonly body?: string;
}

/** Who made the answer: the upstream, a plugin, or the gateway itself. */
export type ResponseSource = 'service' | 'exit' | 'error';

/** `extra` of a log call. Times in ms, sizes in bytes including heads. */
export interface LogFacts {
  readonly status: number;
  readonly source: ResponseSource;
  /** Time spent in the gateway before the upstream was asked (or until the gateway's own answer). */
  readonly gatewayLatencyMs: number;
  /** From sending to the response head; -1 when no upstream was tried. */
  readonly upstreamLatencyMs: number;
  /** From the first byte received to the last sent. */
  readonly requestLatencyMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly upstreamStatus: number;
}

/** One line of a log call: numbers separated by commas are cheaper to write and read than JSON. */
export function encodeLogFacts(facts: LogFacts): string {
  return `${facts.status},${facts.source},${facts.gatewayLatencyMs},${facts.upstreamLatencyMs},${facts.requestLatencyMs},${facts.bytesReceived},${facts.bytesSent},${facts.upstreamStatus}`;
}

export function decodeLogFacts(line: string): LogFacts {
  const parts = line.split(',');
  return {
    status: Number(parts[0]),
    source: parts[1] as ResponseSource,
    gatewayLatencyMs: Number(parts[2]),
    upstreamLatencyMs: Number(parts[3]),
    requestLatencyMs: Number(parts[4]),
    bytesReceived: Number(parts[5]),
    bytesSent: Number(parts[6]),
    upstreamStatus: Number(parts[7]),
  };
}
