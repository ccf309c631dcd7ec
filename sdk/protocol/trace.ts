/**
 * The trace of a request on the wire. Host → guest: behind a tab at the end of a call's first line, and only where a
 * request has a trace. Guest → host: a frame of its own before the result, and only where there is something to say.
 * Without tracing neither costs a byte.
 */

/** Ids are lower-case hex and never all zeros: 32 digits of a trace, 16 of a span. */
export interface TraceState {
  readonly traceId: string;
  /** The gateway's own span of this request. */
  readonly spanId: string;
  /** The span the upstream sees as its parent. */
  readonly upstreamSpanId: string;
  /** Of the caller's span; '' when the trace begins here. */
  readonly parentSpanId: string;
  readonly isSampled: boolean;
  /** The host keeps spans for this request. */
  readonly isRecording: boolean;
  /** The host keeps log lines of this request. */
  readonly hasLogs: boolean;
  /** Nobody has asked for a trace: the ids only tell requests apart. */
  readonly isMadeUp: boolean;
  /** Share of traces the node samples where nobody says otherwise, 0…1. */
  readonly samplingRate: number;
}

/** When a plugin ran in a phase, in ms since the epoch. */
export interface PluginTiming {
  readonly plugin: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Message of what it threw; '' when it did not. */
  readonly error: string;
}

/** What a guest says of one phase of one traced request. */
export interface TraceReport {
  /** Undefined: as it was. */
  readonly state: TraceState | undefined;
  readonly timings: readonly PluginTiming[];
}

export const TRACE_MARK = '\t';

const SAMPLED = 1;
const RECORDING = 2;
const LOGS = 4;
const MADE_UP = 8;
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const MAX_TIMINGS = 256;
const MAX_ERROR_LENGTH = 1024;

export function isTraceId(text: string): boolean {
  return TRACE_ID.test(text);
}

export function isSpanId(text: string): boolean {
  return SPAN_ID.test(text);
}

export function encodeTrace(state: TraceState): string {
  const flags =
    (state.isSampled ? SAMPLED : 0) |
    (state.isRecording ? RECORDING : 0) |
    (state.hasLogs ? LOGS : 0) |
    (state.isMadeUp ? MADE_UP : 0);
  return `${state.traceId} ${state.spanId} ${state.upstreamSpanId} ${state.parentSpanId} ${flags} ${state.samplingRate}`;
}

/** Throws RangeError on what `encodeTrace` has not written. */
export function decodeTrace(text: string): TraceState {
  const [traceId = '', spanId = '', upstreamSpanId = '', parentSpanId = '', flags, rate, ...rest] =
    text.split(' ');
  const samplingRate = Number(rate);
  const isWellFormed =
    isTraceId(traceId) &&
    isSpanId(spanId) &&
    isSpanId(upstreamSpanId) &&
    (parentSpanId === '' || isSpanId(parentSpanId)) &&
    samplingRate >= 0 &&
    samplingRate <= 1 &&
    rest.length === 0;
  if (!isWellFormed) throw new RangeError('malformed trace');
  return {
    traceId,
    spanId,
    upstreamSpanId,
    parentSpanId,
    isSampled: (Number(flags) & SAMPLED) !== 0,
    isRecording: (Number(flags) & RECORDING) !== 0,
    hasLogs: (Number(flags) & LOGS) !== 0,
    isMadeUp: (Number(flags) & MADE_UP) !== 0,
    samplingRate,
  };
}

export function encodeTraceReport({ state, timings }: TraceReport): string {
  let text = state === undefined ? '' : encodeTrace(state);
  for (const { plugin, startedAtMs, endedAtMs, error } of timings.slice(0, MAX_TIMINGS)) {
    text += `\n${JSON.stringify([plugin, startedAtMs, endedAtMs, error.slice(0, MAX_ERROR_LENGTH)])}`;
  }
  return text;
}

/** Throws RangeError or SyntaxError on anything a guest runtime of ours would not have written. */
export function decodeTraceReport(text: string): TraceReport {
  const [state = '', ...lines] = text.split('\n');
  if (lines.length > MAX_TIMINGS) throw new RangeError('too many timings');
  return { state: state === '' ? undefined : decodeTrace(state), timings: lines.map(decodeTiming) };
}

function decodeTiming(line: string): PluginTiming {
  const parts = JSON.parse(line) as readonly unknown[];
  const [plugin, startedAtMs, endedAtMs, error] = Array.isArray(parts) ? parts : [];
  const isWellFormed =
    typeof plugin === 'string' &&
    Number.isFinite(startedAtMs) &&
    Number.isFinite(endedAtMs) &&
    typeof error === 'string' &&
    error.length <= MAX_ERROR_LENGTH;
  if (!isWellFormed) throw new RangeError('malformed timing');
  return { plugin, startedAtMs: startedAtMs as number, endedAtMs: endedAtMs as number, error };
}

/** Argument of `traces.export`: which trace, by the gateway's span, and JSON of where it and its logs go. */
export function encodeTraceExport(spanId: string, targetsJson: string): string {
  return `${spanId}\n${targetsJson}`;
}

export function decodeTraceExport(text: string): { readonly spanId: string; readonly targetsJson: string } {
  const lineEnd = text.indexOf('\n');
  return { spanId: text.slice(0, Math.max(0, lineEnd)), targetsJson: text.slice(lineEnd + 1) };
}

/** The low 52 bits of a trace id, which W3C asks to be random, exactly as many as a number can hold. */
const RANDOM_DIGITS = 13;

/** The same for everybody who asks about one trace: a share of `rate` (0…1) of all random ids. */
export function isTraceSampled(traceId: string, rate: number): boolean {
  return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < rate * 16 ** RANDOM_DIGITS;
}
