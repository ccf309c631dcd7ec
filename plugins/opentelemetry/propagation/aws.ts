/** AWS X-Ray: `x-amzn-trace-id: Root=1-{8}-{24};Parent={16};Sampled={0|1}`, in any order, with more parts between. */
import { readSizedSpanId, readSizedTraceId } from './ids.ts';
import type { Propagation } from './trace-headers.ts';

const HEADER = 'x-amzn-trace-id';
const ROOT = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i;
const TIME_DIGITS = 8;

export const aws: Propagation = {
  extract(headers) {
    const parts = new Map<string, string>();
    for (const part of (headers.getHeader(HEADER) ?? '').split(';')) {
      const at = part.indexOf('=');
      if (at > 0) parts.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
    }
    const root = ROOT.exec(parts.get('root') ?? '');
    const traceId = root === null ? undefined : readSizedTraceId(`${root[1]}${root[2]}`);
    const parent = parts.get('parent');
    const spanId = readSizedSpanId(parent);
    if (traceId === undefined || (parent !== undefined && spanId === undefined)) return undefined;
    const decision = parts.get('sampled');
    const isSampled = decision === '1' ? true : decision === '0' ? false : undefined;
    return { traceId, spanId, isSampled };
  },

  inject({ traceId, spanId, isSampled }) {
    const root = `1-${traceId.slice(0, TIME_DIGITS)}-${traceId.slice(TIME_DIGITS)}`;
    return [[HEADER, `Root=${root};Parent=${spanId};Sampled=${isSampled ? '1' : '0'}`]];
  },
};
