/** A finished span as the gateway knows it: plain data, before any library. */

export type SpanKind = 'internal' | 'server' | 'client';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanRecord {
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for none. */
  readonly parentSpanId: string;
  /** The parent is a span of the caller's. */
  readonly hasRemoteParent: boolean;
  /** Unix time in ms with fractions. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: SpanAttributes;
  readonly isError: boolean;
  /** Message of an exception; '' where there was none. */
  readonly exception: string;
}
