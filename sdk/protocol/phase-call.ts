/**
 * Host → guest: one request as text, laid out so that what every plugin needs comes first and the rest need not be
 * taken apart. No line can hold a line feed, because neither a request line nor a header nor JSON can; a header is
 * `name NUL value`, and a NUL can be in neither.
 *
 * Line 0 is `<generation> <plan> <phase facts>`: for access `run` or `collect`, and behind it JSON of UriCaptures where
 * the path matched a pattern and a plugin wants to know, for response JSON of ResponseFacts,
 * for log `encodeLogFacts`; behind it, where the request has a trace, a tab and that (trace.ts). Then come the
 * lines of the state, REQUEST_LINES and the headers, each ended by a line feed. A log call for plugins content with a
 * summary ends behind the state, of which only picks and consumer are filled in then.
 *
 * Behind the client's headers may come those of the service's answer and, in a log call, those of the client's answer:
 * the same lines, each begun by one of HEADER_MARKS, which no name of a header can hold.
 *
 * The state is what earlier plugins left behind, all empty for the first package of a request: the numbers of the
 * instances collected so far, comma-separated, which `response` and `log` run; consumer, credential and shared values,
 * each JSON or empty.
 */

export const STATE_LINE_COUNT = 4;

export const REQUEST_LINES = {
  /** After trusted proxies have been looked through. */
  clientAddress: 0,
  method: 1,
  rawPath: 2,
  /** Empty: no `?`. Otherwise `?` and the text after it. */
  rawQuery: 3,
  /** Normalised path. */
  path: 4,
  scheme: 5,
  httpVersion: 6,
  localPort: 7,
  peerAddress: 8,
  requestId: 9,
  receivedAtMs: 10,
  /** What `strip_path` takes off the path; empty for nothing. */
  strippedPrefix: 11,
  /** What plugins have made of the query, behind a `?`; empty: it is as it was sent. */
  changedQuery: 12,
} as const;

export const REQUEST_LINE_COUNT = 13;

/** In front of the names of an answer's headers, in lower case. */
export const HEADER_MARKS = { service: '>', client: '<' } as const;

/** What the groups of the route's pattern have matched. */
export interface UriCaptures {
  /** By position; the first is the whole match. Groups that took no part are ''. */
  readonly unnamed: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

/** Facts of an access call in which plugins run, as opposed to one in which they are only collected. */
export const RUNS = 'run';
export const COLLECTS = 'collect';

/** Who made the answer: the upstream, a plugin, or the gateway itself. */
export type ResponseSource = 'service' | 'exit' | 'error';

/** Headers are flat, in any case. */
export interface ResponseFacts {
  readonly status: number;
  readonly source: ResponseSource;
  readonly headers: readonly string[];
  /** 0: the upstream did not answer. */
  readonly upstreamStatus: number;
  /** latin1 text of the whole body, when a collected plugin asked for it. */
  readonly body?: string;
}

/** Times in ms, sizes in bytes including heads. */
export interface LogFacts {
  /** What the client got. */
  readonly status: number;
  readonly source: ResponseSource;
  /** Time spent in the gateway before the upstream was asked (or until the gateway's own answer). */
  readonly gatewayLatencyMs: number;
  /** From sending to the response head; -1 when no upstream was tried. */
  readonly upstreamLatencyMs: number;
  /** From the first byte received to the last sent. */
  readonly requestLatencyMs: number;
  /** Of the request. */
  readonly bytesReceived: number;
  /** Of the answer. */
  readonly bytesSent: number;
  /** 0 when no upstream has answered. */
  readonly upstreamStatus: number;
}

/** What full log records tell beyond that: JSON behind the numbers, read only by who asks for it. */
export interface FullLogFacts {
  /** Path and query as sent to the service; '' when it was not asked. */
  readonly upstreamTarget: string;
  readonly tries: readonly { readonly ip: string; readonly port: number; readonly error?: string }[];
}

const NO_FULL_FACTS: FullLogFacts = { upstreamTarget: '', tries: [] };

/** Of the facts of a log call, however it is recorded. */
export function decodeFullLogFacts(phaseFacts: string): FullLogFacts {
  const at = phaseFacts.indexOf('{');
  return at < 0 ? NO_FULL_FACTS : (JSON.parse(phaseFacts.slice(at)) as FullLogFacts);
}

/** Numbers separated by commas are cheaper to write and read than JSON. */
export function encodeLogFacts(facts: LogFacts): string {
  return `${facts.status},${facts.source},${facts.gatewayLatencyMs},${facts.upstreamLatencyMs},${facts.requestLatencyMs},${facts.bytesReceived},${facts.bytesSent},${facts.upstreamStatus}`;
}

/** Read number by number: one is made of every request, and cutting the text into parts would cost twice as much. */
export function decodeLogFacts(text: string): LogFacts {
  const statusEnd = text.indexOf(',');
  const sourceEnd = text.indexOf(',', statusEnd + 1);
  const reader = new NumberReader(text, sourceEnd + 1);
  return {
    status: Number(text.slice(0, statusEnd)),
    source: text.slice(statusEnd + 1, sourceEnd) as ResponseSource,
    gatewayLatencyMs: reader.next(),
    upstreamLatencyMs: reader.next(),
    requestLatencyMs: reader.next(),
    bytesReceived: reader.next(),
    bytesSent: reader.next(),
    upstreamStatus: reader.next(),
  };
}

const MINUS = 45;
const DIGIT_ZERO = 48;

/** Whole numbers, each ended by a comma or by the end. */
class NumberReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
  }

  next(): number {
    const text = this.#text;
    const isNegative = text.charCodeAt(this.#at) === MINUS;
    let value = 0;
    let at = isNegative ? this.#at + 1 : this.#at;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - DIGIT_ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = at + 1;
    return isNegative ? -value : value;
  }
}
