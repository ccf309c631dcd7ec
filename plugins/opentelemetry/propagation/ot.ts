/** OpenTracing: `ot-tracer-…`, and baggage in `ot-baggage-…`. */
import { readSampled, readSizedTraceId, readSpanId, spellTraceId } from './ids.ts';
import { type Propagation, readBaggage, writeBaggage } from './trace-headers.ts';

const BAGGAGE_PREFIX = 'ot-baggage-';

export const ot: Propagation = {
  extract(headers) {
    const trace = headers.getHeader('ot-tracer-traceid');
    const span = headers.getHeader('ot-tracer-spanid');
    const isSampled = readSampled(headers.getHeader('ot-tracer-sampled'));
    const traceId = readSizedTraceId(trace);
    const spanId = readSpanId(span);
    if (traceId === undefined || (span !== undefined && spanId === undefined)) {
      return isSampled === undefined ? undefined : { isSampled };
    }
    return {
      traceId,
      spanId,
      isSampled,
      hasShortTraceId: trace?.length === 16,
      baggage: readBaggage(headers, BAGGAGE_PREFIX),
    };
  },

  inject(trace) {
    return [
      ['ot-tracer-traceid', spellTraceId(trace.traceId, trace.hasShortTraceId)],
      ['ot-tracer-spanid', trace.spanId],
      ['ot-tracer-sampled', trace.isSampled ? '1' : '0'],
      ...writeBaggage(trace, BAGGAGE_PREFIX),
    ];
  },
};
