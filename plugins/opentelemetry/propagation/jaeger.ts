/** Jaeger: `uber-trace-id: trace:span:parent:flags`, and baggage in `uberctx-…`. */
import { readSpanId, readTraceId, spellTraceId } from './ids.ts';
import { type Propagation, readBaggage, writeBaggage } from './trace-headers.ts';

const HEADER = 'uber-trace-id';
const BAGGAGE_PREFIX = 'uberctx-';
/** The colons may be percent-encoded. */
const FIELDS =
  /^([0-9a-f]{1,32})(?::|%3a)([0-9a-f]{1,16})(?::|%3a)(?:[0-9a-f]{1,16})(?::|%3a)([0-9a-f]{1,2})$/i;
const SAMPLED = 1;

export const jaeger: Propagation = {
  extract(headers) {
    const [, trace, span, flags = ''] = FIELDS.exec(headers.getHeader(HEADER) ?? '') ?? [];
    const traceId = readTraceId(trace);
    const spanId = readSpanId(span);
    if (trace === undefined || traceId === undefined || spanId === undefined) return undefined;
    return {
      traceId,
      spanId,
      isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED,
      hasShortTraceId: trace.length <= 16,
      baggage: readBaggage(headers, BAGGAGE_PREFIX),
    };
  },

  inject(trace) {
    const { traceId, spanId, parentSpanId = '0', isSampled, hasShortTraceId } = trace;
    const id = spellTraceId(traceId, hasShortTraceId);
    return [
      [HEADER, `${id}:${spanId}:${parentSpanId}:${isSampled ? '01' : '00'}`],
      ...writeBaggage(trace, BAGGAGE_PREFIX),
    ];
  },
};
