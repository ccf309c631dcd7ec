/** What the guest knows of the trace of one call, and what it has to tell the host about it. */
import { decodeTrace, encodeTraceReport, type PluginTiming, type TraceState } from '../protocol/trace.ts';
import { createHexId } from './random-id.ts';

/** One plugin that is running. */
export class RunningPlugin {
  error = '';
  readonly #trace: CallTrace;
  readonly #plugin: string;
  readonly #startedAtMs = Date.now();

  constructor(trace: CallTrace, plugin: string) {
    this.#trace = trace;
    this.#plugin = plugin;
  }

  end(): void {
    this.#trace.addTiming({
      plugin: this.#plugin,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
      error: this.error,
    });
  }
}

export class CallTrace {
  #state: TraceState;
  #isChanged: boolean;
  readonly #timings: PluginTiming[] = [];

  private constructor(state: TraceState, isChanged: boolean) {
    this.#state = state;
    this.#isChanged = isChanged;
  }

  /** Of a call whose request the host has given a trace. */
  static decode(text: string): CallTrace {
    return new CallTrace(decodeTrace(text), false);
  }

  /** Where the host records nothing: ids to be passed on, never sampled. */
  static begin(): CallTrace {
    const spanId = createHexId(16);
    const state = {
      traceId: createHexId(32),
      spanId,
      upstreamSpanId: spanId,
      parentSpanId: '',
      isSampled: false,
      isRecording: false,
      hasLogs: false,
      isMadeUp: false,
      samplingRate: 0,
    };
    return new CallTrace(state, true);
  }

  get state(): TraceState {
    return this.#state;
  }

  change(changes: Pick<TraceState, 'traceId' | 'parentSpanId' | 'isSampled'>): void {
    this.#state = { ...this.#state, ...changes, isMadeUp: false };
    this.#isChanged = true;
  }

  /** Undefined where nobody wants to know. */
  startPlugin(plugin: string): RunningPlugin | undefined {
    return this.#state.isRecording ? new RunningPlugin(this, plugin) : undefined;
  }

  addTiming(timing: PluginTiming): void {
    this.#timings.push(timing);
  }

  /** '' when there is nothing to say. */
  report(): string {
    if (!this.#isChanged && this.#timings.length === 0) return '';
    return encodeTraceReport({ state: this.#isChanged ? this.#state : undefined, timings: this.#timings });
  }
}
