/**
 * Traces of one worker: begins them, keeps those that have ended until somebody wants them exported, and hands their
 * spans on. Nothing here waits, and nothing a backend does reaches a request.
 */
import { isTraceSampled } from '../../../sdk/protocol/trace.ts';
import type { GatewayLogger } from '../logger.ts';
import { describeSpans, type TracedRequest } from './describe-spans.ts';
import { type Instrumentation, listRecordedSpans } from './instrumentations.ts';
import { RequestTrace } from './request-trace.ts';
import type { NodeIdentity, SpanPipeline } from './span-pipeline.ts';
import { parseTraceTarget } from './trace-target.ts';

export interface Tracer {
  begin(): RequestTrace;
  /** The request is over. Its spans are kept for `export`, if it is sampled. */
  end(trace: RequestTrace, request: TracedRequest): void;
  /** `spanId`: of the gateway's span. Never throws: what cannot be exported is logged, a trace that is gone passed over. */
  export(spanId: string, targetJson: string): void;
  /** Loads what exporting takes, which blocks the thread for a moment. Never rejects. */
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
/** Targets of former configurations among them. The one made first goes first. */
const MAX_PIPELINES = 32;
const QUIET_MS = 30_000;

interface EndedTrace {
  readonly trace: RequestTrace;
  readonly request: TracedRequest;
}

type PipelineModule = typeof import('./span-pipeline.ts');

/** Undefined when no spans are to be recorded. */
export function createTracer(options: TracerOptions): Tracer | undefined {
  return options.instrumentations.length === 0 ? undefined : new WorkerTracer(options);
}

class WorkerTracer implements Tracer {
  readonly #options: TracerOptions;
  readonly #recorded: ReturnType<typeof listRecordedSpans>;
  readonly #ended = new Map<string, EndedTrace>();
  readonly #pipelines = new Map<string, Promise<SpanPipeline>>();
  #module: Promise<PipelineModule> | undefined;
  #lostSpans = 0;
  #quietUntilMs = 0;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#recorded = listRecordedSpans(options.instrumentations);
  }

  begin(): RequestTrace {
    const { nowMs, samplingRate } = this.#options;
    return RequestTrace.begin(nowMs, samplingRate, (traceId) => isTraceSampled(traceId, samplingRate));
  }

  end(trace: RequestTrace, request: TracedRequest): void {
    if (!trace.isSampled || !trace.isRecording) return;
    this.#ended.set(trace.spanId, { trace, request });
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      return;
    }
  }

  export(spanId: string, targetJson: string): void {
    const ended = this.#ended.get(spanId);
    if (ended === undefined) return;
    this.#ended.delete(spanId);
    const spans = describeSpans(ended.trace, ended.request, this.#recorded);
    const lose = (error: unknown) => this.#noteLoss(spans.length, String(error));
    try {
      this.#pipelineOf(targetJson).then((pipeline) => pipeline.add(spans), lose);
    } catch (error) {
      lose(error);
    }
  }

  async prepare(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'traces cannot be exported');
    }
  }

  async shutdown(limitMs: number): Promise<void> {
    const closing = [...this.#pipelines.values()].map((pipeline) => pipeline.then((made) => made.shutdown()));
    this.#pipelines.clear();
    if (closing.length === 0) return;
    await Promise.race([
      Promise.allSettled(closing),
      new Promise((resolve) => setTimeout(resolve, limitMs).unref()),
    ]);
  }

  #pipelineOf(targetJson: string): Promise<SpanPipeline> {
    let pipeline = this.#pipelines.get(targetJson);
    if (pipeline === undefined) {
      const target = parseTraceTarget(targetJson);
      pipeline = this.#load().then(({ createSpanPipeline }) =>
        createSpanPipeline(target, this.#options, (spans, reason) => this.#noteLoss(spans, reason)),
      );
      this.#pipelines.set(targetJson, pipeline);
      this.#retireOldest();
    }
    return pipeline;
  }

  #retireOldest(): void {
    if (this.#pipelines.size <= MAX_PIPELINES) return;
    for (const [targetJson, pipeline] of this.#pipelines) {
      this.#pipelines.delete(targetJson);
      pipeline.then((made) => made.shutdown()).catch(() => {});
      return;
    }
  }

  #load(): Promise<PipelineModule> {
    this.#module ??= import('./span-pipeline.ts');
    return this.#module;
  }

  /** A backend that is down is news once in a while, not with every batch. */
  #noteLoss(spans: number, reason: string): void {
    this.#lostSpans += spans;
    if (Date.now() < this.#quietUntilMs) return;
    this.#quietUntilMs = Date.now() + QUIET_MS;
    this.#options.logger.warn({ spans: this.#lostSpans, reason }, 'spans could not be exported');
    this.#lostSpans = 0;
  }
}
