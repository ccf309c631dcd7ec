/** W3C Trace Context: `traceparent`. `tracestate` goes on as the client sent it. */
import type { Propagation } from './trace-headers.ts';

/** Later versions may add parts; those known keep their places. Upper case is not allowed. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

export const w3c: Propagation = {
  extract(headers) {
    const match = TRACEPARENT.exec(headers.getHeader('traceparent') ?? '');
    if (match === null) return undefined;
    const [, version, traceId, spanId, flags = '', rest] = match;
    if (version === '00' && rest !== undefined) return undefined;
    return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
  },

  inject({ traceId, spanId, isSampled }) {
    return [['traceparent', `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`]];
  },
};
