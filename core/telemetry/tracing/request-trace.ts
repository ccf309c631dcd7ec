/**
 * What is noted of one request while it is under way: ids, times and little else. Spans are made of it when it is
 * exported (describe-spans.ts), which most traces never are.
 */
import { encodeTrace, type TraceReport, type TraceState } from '../../../sdk/protocol/trace.ts';
import type { GatewayError } from '../../errors.ts';
import type { LogRecord, Severity } from './log-record.ts';
import { createSpanId, createTraceId } from './trace-ids.ts';

/** More than any route has plugins; a guest that says more is not listened to. */
const MAX_RUNS = 512;
const MAX_LINES = 256;

export type TracedPhase = 'access' | 'response';

/** A plugin in a phase. Times are Unix times in ms. */
export interface PluginRun {
  readonly phase: TracedPhase;
  readonly plugin: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** '' when nothing was thrown. */
  readonly error: string;
}

/** One try at an upstream. */
export interface UpstreamTry {
  readonly ip: string;
  readonly port: number;
  readonly startedAtMs: number;
  /** 0 while it is under way. */
  endedAtMs: number;
  error: GatewayError | undefined;
}

/** One question to the resolver. */
export interface NameLookup {
  readonly name: string;
  readonly startedAtMs: number;
  endedAtMs: number;
  /** Undefined when there was no answer. */
  ip: string | undefined;
}

export type LoggedLine = Pick<LogRecord, 'atMs' | 'severity' | 'plugin' | 'message'>;

export class RequestTrace implements TraceState {
  traceId: string;
  spanId: string;
  upstreamSpanId: string;
  parentSpanId: string;
  isSampled: boolean;
  readonly isRecording: boolean;
  readonly samplingRate: number;
  isMadeUp: boolean;

  routerStartedAtMs = 0;
  routerEndedAtMs = 0;
  readonly runs: PluginRun[] = [];
  readonly tries: UpstreamTry[] = [];
  readonly lookups: NameLookup[] = [];
  readonly lines: LoggedLine[] = [];

  readonly #nowMs: () => number;
  #phase: TracedPhase = 'access';
  #phaseStartedAtMs = 0;

  private constructor(state: Omit<TraceState, 'hasLogs'>, nowMs: () => number) {
    this.traceId = state.traceId;
    this.spanId = state.spanId;
    this.upstreamSpanId = state.upstreamSpanId;
    this.parentSpanId = state.parentSpanId;
    this.isSampled = state.isSampled;
    this.isRecording = state.isRecording;
    this.samplingRate = state.samplingRate;
    this.isMadeUp = state.isMadeUp;
    this.#nowMs = nowMs;
  }

  /** A trace that begins here, until a plugin joins the caller's. */
  static begin(
    nowMs: () => number,
    samplingRate: number,
    isSampled: (traceId: string) => boolean,
  ): RequestTrace {
    const ids = createIds();
    const state = {
      ...ids,
      isSampled: isSampled(ids.traceId),
      isRecording: true,
      samplingRate,
      isMadeUp: false,
    };
    return new RequestTrace(state, nowMs);
  }

  /** A trace that a plugin passes on and nobody records. */
  static passedOn(state: TraceState): RequestTrace {
    return new RequestTrace({ ...state, isSampled: false, isRecording: false }, () => 0);
  }

  /** For the lines of a request without a trace. */
  static forLines(): RequestTrace {
    const state = { ...createIds(), isSampled: false, isRecording: false, samplingRate: 0, isMadeUp: true };
    return new RequestTrace(state, () => 0);
  }

  get hasLogs(): boolean {
    return this.lines.length > 0;
  }

  /** As calls carry it. */
  encode(): string {
    return encodeTrace(this);
  }

  /** The route has just been found; `startedAtMs` is when the search began. */
  onRouted(startedAtMs: number): void {
    this.routerStartedAtMs = startedAtMs;
    this.routerEndedAtMs = this.#nowMs();
  }

  /** Plugins are about to run. */
  onPhaseStart(phase: TracedPhase): void {
    this.#phase = phase;
    if (this.isRecording) this.#phaseStartedAtMs = this.#nowMs();
  }

  /** What the guest said of the phase, at its end. */
  onPhaseReport({ state, timings }: TraceReport): void {
    if (state !== undefined) {
      this.traceId = state.traceId;
      this.parentSpanId = state.parentSpanId;
      this.isSampled = state.isSampled && this.isRecording;
      this.isMadeUp = false;
    }
    if (!this.isRecording) {
      // The guest has told the upstream ids of its own.
      this.spanId = state?.spanId ?? this.spanId;
      this.upstreamSpanId = state?.upstreamSpanId ?? this.upstreamSpanId;
      return;
    }
    // A guest's clock counts whole milliseconds; ours knows better where the phase began and ended.
    const earliestMs = this.#phaseStartedAtMs;
    const latestMs = Math.max(earliestMs, this.#nowMs());
    for (const { plugin, startedAtMs, endedAtMs, error } of timings) {
      if (this.runs.length >= MAX_RUNS) return;
      const start = Math.min(latestMs, Math.max(earliestMs, startedAtMs));
      const end = Math.min(latestMs, Math.max(start, endedAtMs));
      this.runs.push({ phase: this.#phase, plugin, startedAtMs: start, endedAtMs: end, error });
    }
  }

  onLine(severity: Severity, plugin: string, message: string, atMs: number): void {
    if (this.lines.length < MAX_LINES) this.lines.push({ severity, plugin, message, atMs });
  }

  onLookup(name: string): void {
    if (!this.isRecording) return;
    this.lookups.push({ name, startedAtMs: this.#nowMs(), endedAtMs: 0, ip: undefined });
  }

  onLookupEnd(ip: string | undefined): void {
    const lookup = this.lookups.at(-1);
    if (lookup === undefined) return;
    lookup.endedAtMs = this.#nowMs();
    lookup.ip = ip;
  }

  onTry(ip: string, port: number): void {
    if (!this.isRecording) return;
    this.tries.push({ ip, port, startedAtMs: this.#nowMs(), endedAtMs: 0, error: undefined });
  }

  onTryFailed(error: GatewayError): void {
    const current = this.tries.at(-1);
    if (current === undefined || current.endedAtMs !== 0) return;
    current.endedAtMs = this.#nowMs();
    current.error = error;
  }

  /** The upstream's answer is complete. */
  onUpstreamEnd(): void {
    const current = this.tries.at(-1);
    if (current?.endedAtMs === 0) current.endedAtMs = this.#nowMs();
  }
}

function createIds() {
  return {
    traceId: createTraceId(),
    spanId: createSpanId(),
    upstreamSpanId: createSpanId(),
    parentSpanId: '',
  };
}
