/** B3, of Zipkin: several headers, or all in one. */
import { readSampled, readSizedSpanId, readSizedTraceId, spellTraceId } from './ids.ts';
import type { CallerTrace, HeaderSource, Propagation } from './trace-headers.ts';

const SINGLE = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/i;

/** `b3`: ids with or without a decision, or a decision alone. */
export function extractB3Single(headers: HeaderSource): CallerTrace | undefined {
  const text = headers.getHeader('b3');
  if (text === undefined) return undefined;
  if (/^[01d]$/.test(text)) return decisionOf(text);
  const [, trace, span, decision] = SINGLE.exec(text) ?? [];
  const traceId = readSizedTraceId(trace);
  const spanId = readSizedSpanId(span);
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, hasShortTraceId: trace?.length === 16, ...decisionOf(decision) };
}

function extractB3Multi(headers: HeaderSource): CallerTrace | undefined {
  const isDebug = headers.getHeader('x-b3-flags') === '1';
  const isSampled = isDebug || readSampled(headers.getHeader('x-b3-sampled'));
  const trace = headers.getHeader('x-b3-traceid');
  const span = headers.getHeader('x-b3-spanid');
  const traceId = readSizedTraceId(trace);
  const spanId = readSizedSpanId(span);
  // Half an identity is none; what was said about sampling still counts.
  if (traceId === undefined || (span !== undefined && spanId === undefined)) {
    return isSampled === undefined ? undefined : { isSampled, isDebug };
  }
  return { traceId, spanId, isSampled, isDebug, hasShortTraceId: trace?.length === 16 };
}

function decisionOf(text: string | undefined): CallerTrace {
  return text === undefined ? {} : { isSampled: text !== '0', isDebug: text === 'd' };
}

export const b3: Propagation = {
  extract: (headers) => extractB3Single(headers) ?? extractB3Multi(headers),

  inject({ traceId, spanId, parentSpanId, isSampled, isDebug, hasShortTraceId }) {
    const parent = parentSpanId === undefined ? [] : ([['x-b3-parentspanid', parentSpanId]] as const);
    return [
      ['x-b3-traceid', spellTraceId(traceId, hasShortTraceId)],
      ['x-b3-spanid', spanId],
      ...parent,
      isDebug ? ['x-b3-flags', '1'] : ['x-b3-sampled', isSampled ? '1' : '0'],
    ];
  },
};

export const b3Single: Propagation = {
  extract: extractB3Single,

  inject({ traceId, spanId, parentSpanId, isSampled, isDebug, hasShortTraceId }) {
    const decision = isDebug ? 'd' : isSampled ? '1' : '0';
    const parent = parentSpanId === undefined ? '' : `-${parentSpanId}`;
    return [['b3', `${spellTraceId(traceId, hasShortTraceId)}-${spanId}-${decision}${parent}`]];
  },
};
