/** Datadog: decimal ids of 64 bits in `x-datadog-…`. */
import { readDecimalId, readTraceId, toDecimal } from './ids.ts';
import type { Propagation } from './trace-headers.ts';

const PRIORITY = /^-?\d{1,3}$/;

export const datadog: Propagation = {
  extract(headers) {
    const priority = headers.getHeader('x-datadog-sampling-priority') ?? '';
    const isSampled = PRIORITY.test(priority) ? Number(priority) > 0 : undefined;
    const traceId = readTraceId(readDecimalId(headers.getHeader('x-datadog-trace-id')));
    if (traceId === undefined) return isSampled === undefined ? undefined : { isSampled };
    const spanId = readDecimalId(headers.getHeader('x-datadog-parent-id'));
    return { traceId, spanId, isSampled, hasShortTraceId: true };
  },

  inject({ traceId, spanId, isSampled }) {
    const lowHalf = toDecimal(traceId);
    // An id whose low half is empty cannot be told here.
    if (lowHalf === '0') return [];
    return [
      ['x-datadog-trace-id', lowHalf],
      ['x-datadog-parent-id', toDecimal(spanId)],
      ['x-datadog-sampling-priority', isSampled ? '1' : '0'],
    ];
  },
};
