/**
 * Traces of one worker: begins them, keeps those that have ended until somebody wants them exported, and hands on
 * their spans and the lines they left in the log. Nothing here waits, and nothing a backend does reaches a request.
 */
import { isTraceSampled } from '../../../sdk/protocol/trace.ts';
import type { GatewayLogger } from '../logger.ts';
import { describeLines } from './describe-lines.ts';
import { describeSpans, type TracedRequest } from './describe-spans.ts';
import type { NodeIdentity } from './export-pipeline.ts';
import { Exporters } from './exporters.ts';
import { type Instrumentation, listRecordedSpans } from './instrumentations.ts';
import { RequestTrace } from './request-trace.ts';

export interface Tracer {
  /** False when no spans are to be recorded: then `begin` is not to be called. */
  readonly isRecording: boolean;
  begin(): RequestTrace;
  /** The request is over. What there is to export of it is kept for `export`. */
  end(trace: RequestTrace, request: TracedRequest): void;
  /** `spanId`: of the gateway's span. Never throws: what cannot be exported is logged, a trace that is gone passed over. */
  export(spanId: string, targetsJson: string): void;
  /** Loads what exporting spans takes, if any are recorded, which blocks the thread for a moment. Never rejects. */
  prepare(): Promise<void>;
  /** Delivers what is queued, within the time given. */
  shutdown(limitMs: number): Promise<void>;
}

export interface TracerOptions extends NodeIdentity {
  readonly instrumentations: readonly Instrumentation[];
  /** 0…1. */
  readonly samplingRate: number;
  readonly logger: GatewayLogger;
  readonly nowMs: () => number;
}

/** Log records of a request cross within milliseconds; a trace nobody has asked for by then is not wanted. */
const MAX_ENDED = 2048;

interface EndedTrace {
  readonly trace: RequestTrace;
  readonly request: TracedRequest;
}

export function createTracer(options: TracerOptions): Tracer {
  return new WorkerTracer(options);
}

class WorkerTracer implements Tracer {
  readonly isRecording: boolean;
  readonly #options: TracerOptions;
  readonly #recorded: ReturnType<typeof listRecordedSpans>;
  readonly #exporters: Exporters;
  readonly #ended = new Map<string, EndedTrace>();

  constructor(options: TracerOptions) {
    this.isRecording = options.instrumentations.length > 0;
    this.#options = options;
    this.#recorded = listRecordedSpans(options.instrumentations);
    this.#exporters = new Exporters(options, options.logger);
  }

  begin(): RequestTrace {
    const { nowMs, samplingRate } = this.#options;
    return RequestTrace.begin(nowMs, samplingRate, (traceId) => isTraceSampled(traceId, samplingRate));
  }

  end(trace: RequestTrace, request: TracedRequest): void {
    if (!trace.isSampled && !trace.hasLogs) return;
    this.#ended.set(trace.spanId, { trace, request });
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      return;
    }
  }

  export(spanId: string, targetsJson: string): void {
    const ended = this.#ended.get(spanId);
    if (ended === undefined) return;
    this.#ended.delete(spanId);
    const { trace, request } = ended;
    const spans = trace.isSampled ? describeSpans(trace, request, this.#recorded) : [];
    this.#exporters.send(targetsJson, spans, describeLines(trace, request, this.#options.logger));
  }

  async prepare(): Promise<void> {
    if (this.isRecording) await this.#exporters.prepare();
  }

  shutdown(limitMs: number): Promise<void> {
    return this.#exporters.shutdown(limitMs);
  }
}
