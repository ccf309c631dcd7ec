/** `kong.tracing`: reads the trace of the call, and records what a plugin makes of it. */
import {
  encodeTraceExport,
  isSpanId,
  isTraceId,
  isTraceSampled,
  type TraceState,
} from '../protocol/trace.ts';
import type {
  ExportTargets,
  TraceContext,
  TraceExporter,
  TraceJoin,
  TraceReader,
  TraceWriter,
} from '../tracing.ts';
import type { CallState } from './call-state.ts';
import { CallTrace } from './call-trace.ts';
import { callHost } from './outbox.ts';

export class TraceView implements TraceReader {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  getContext(): TraceContext | undefined {
    const state = this.call.trace?.state;
    return state === undefined || state.isMadeUp ? undefined : contextOf(state);
  }
}

export class TraceWriterView extends TraceView implements TraceWriter {
  override getContext(): TraceContext {
    return contextOf(this.#trace.state);
  }

  isRecording(): boolean {
    return this.call.trace?.state.isRecording === true;
  }

  isSampledAt(traceId: string, rate?: number): boolean {
    const state = this.call.trace?.state;
    return state?.isRecording === true && isTraceSampled(traceId, rate ?? state.samplingRate);
  }

  join({ traceId, parentSpanId, isSampled }: TraceJoin): TraceContext {
    if (traceId !== undefined && !isTraceId(traceId)) throw new TypeError('invalid trace id');
    if (parentSpanId !== undefined && !isSpanId(parentSpanId)) throw new TypeError('invalid span id');
    const { state } = this.#trace;
    this.#trace.change({
      traceId: traceId ?? state.traceId,
      parentSpanId: parentSpanId ?? state.parentSpanId,
      isSampled: isSampled && state.isRecording,
    });
    return contextOf(this.#trace.state);
  }

  get #trace(): CallTrace {
    this.call.trace ??= CallTrace.begin();
    return this.call.trace;
  }
}

/** Targets live as long as the configuration they were made for. */
const targetTexts = new WeakMap<ExportTargets, string>();

export class TraceExporterView extends TraceView implements TraceExporter {
  export(targets: ExportTargets): void {
    // The host refuses it as well, but nobody waits to hear that.
    if (this.call.instance?.plugin.capabilities?.traceExport !== true)
      throw new Error(`the manifest does not ask for 'traceExport'`);
    const state = this.call.trace?.state;
    const hasSpans = state?.isSampled === true && state.isRecording;
    if (state === undefined || !(hasSpans || state.hasLogs)) return;
    let text = targetTexts.get(targets);
    if (text === undefined) {
      text = JSON.stringify(targets);
      targetTexts.set(targets, text);
    }
    // Nobody waits for the reply, so the call belongs to no request; what the host refuses it says in its own log.
    callHost('traces.export', encodeTraceExport(state.spanId, text)).catch(() => {});
  }
}

function contextOf({ traceId, spanId, upstreamSpanId, parentSpanId, isSampled }: TraceState): TraceContext {
  return {
    traceId,
    spanId,
    upstreamSpanId,
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    isSampled,
  };
}
