/** Google Cloud: `x-cloud-trace-context: {trace}/{span in decimal};o={0|1}`. */
import { readDecimalId, readSizedTraceId, toDecimal } from './ids.ts';
import type { Propagation } from './trace-headers.ts';

const HEADER = 'x-cloud-trace-context';
const FIELDS = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?$/i;
const SAMPLED = 1;

export const gcp: Propagation = {
  extract(headers) {
    const [, trace, span, options] = FIELDS.exec(headers.getHeader(HEADER) ?? '') ?? [];
    const traceId = readSizedTraceId(trace);
    if (traceId === undefined) return undefined;
    const isSampled = options === undefined ? undefined : (Number(options) & SAMPLED) === SAMPLED;
    return { traceId, spanId: readDecimalId(span), isSampled };
  },

  inject({ traceId, spanId, isSampled }) {
    return [[HEADER, `${traceId}/${toDecimal(spanId)};o=${isSampled ? '1' : '0'}`]];
  },
};
