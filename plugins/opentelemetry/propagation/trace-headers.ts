/** What the formats of propagation headers have in common: what is read of a caller, and what is written for an upstream. */

/** The request's headers as `kong.request` reads them. */
export interface HeaderSource {
  getHeader(name: string): string | undefined;
  getHeaders(): Readonly<Record<string, readonly string[]>>;
}

/** What a caller's headers say. At least one of the first three is there. Ids are lower-case hex, never all zeros. */
export interface CallerTrace {
  /** 32 digits, padded with zeros on the left where the caller's was shorter. */
  readonly traceId?: string | undefined;
  /** 16 digits. */
  readonly spanId?: string | undefined;
  readonly isSampled?: boolean | undefined;
  /** The caller's trace id had 64 bits: formats that know such ids send it on as it was. */
  readonly hasShortTraceId?: boolean;
  /** B3's debug flag, which stands above sampling. */
  readonly isDebug?: boolean;
  /** Values that travel along, by lower-case name, as they were sent. */
  readonly baggage?: Readonly<Record<string, string>>;
}

/** What the upstream is told. */
export interface OutgoingTrace {
  readonly traceId: string;
  /** The span the upstream will see as its parent. */
  readonly spanId: string;
  /** The parent of that span. */
  readonly parentSpanId: string | undefined;
  readonly isSampled: boolean;
  readonly hasShortTraceId: boolean;
  readonly isDebug: boolean;
  readonly baggage: Readonly<Record<string, string>>;
}

/** Name and value. */
export type TraceHeader = readonly [name: string, value: string];

/** One way of writing a trace into headers. */
export interface Propagation {
  /** Undefined when there is nothing, or nothing well-formed. */
  extract(headers: HeaderSource): CallerTrace | undefined;
  inject(trace: OutgoingTrace): readonly TraceHeader[];
}

/** Longer names would be no names of headers any more under another prefix; more of them are no baggage. */
const MAX_NAME_LENGTH = 128;
const MAX_BAGGAGE = 64;

/** Baggage is in headers of one prefix, each ended by the name of its value. */
export function readBaggage(headers: HeaderSource, prefix: string): Readonly<Record<string, string>> {
  const baggage: Record<string, string> = Object.create(null);
  let count = 0;
  for (const [name, [value]] of Object.entries(headers.getHeaders())) {
    const key = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (key === '' || key.length > MAX_NAME_LENGTH || value === undefined) continue;
    if (++count > MAX_BAGGAGE) break;
    baggage[key] = value;
  }
  return baggage;
}

export function writeBaggage({ baggage }: OutgoingTrace, prefix: string): readonly TraceHeader[] {
  return Object.entries(baggage).map(([name, value]) => [prefix + name, value]);
}
