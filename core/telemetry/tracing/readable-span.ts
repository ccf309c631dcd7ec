/** A span record in the form OpenTelemetry's SDK exports. */
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SpanRecord } from './span-record.ts';

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
export const SCOPE = { name: 'kong-internal', version: '0.1.0' };
const UNSET = { code: SpanStatusCode.UNSET };
const NS_PER_MS = 1e6;
const NS_PER_SECOND = 1e9;
const NO_LINKS: ReadableSpan['links'] = [];

export function toReadableSpan(record: SpanRecord, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, exception } = record;
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  const endTime = toHrTime(record.endedAtMs);
  return {
    name: record.name,
    kind: KINDS[record.kind],
    spanContext: () => context,
    ...(parentSpanId !== '' && {
      parentSpanContext: {
        traceId,
        spanId: parentSpanId,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: record.hasRemoteParent,
      },
    }),
    startTime: toHrTime(record.startedAtMs),
    endTime,
    duration: toHrTime(record.endedAtMs - record.startedAtMs),
    status: record.isError
      ? { code: SpanStatusCode.ERROR, ...(exception !== '' && { message: exception }) }
      : UNSET,
    attributes: record.attributes,
    links: NO_LINKS,
    events:
      exception === ''
        ? []
        : [
            {
              name: 'exception',
              attributes: { 'exception.message': exception },
              time: endTime,
              droppedAttributesCount: 0,
            },
          ],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
export function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.round((ms - seconds * 1000) * NS_PER_MS);
  return nanoseconds < NS_PER_SECOND ? [seconds, nanoseconds] : [seconds + 1, 0];
}
