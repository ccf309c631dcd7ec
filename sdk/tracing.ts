/**
 * `kong.tracing`: the trace a request belongs to. The host records the spans; a plugin says which trace they are
 * part of, and where they go. Where the node records nothing, everything here still works and nothing is exported.
 */

/** Ids are lower-case hex: 32 digits of a trace, 16 of a span. */
export interface TraceContext {
  readonly traceId: string;
  /** The gateway's own span of this request. */
  readonly spanId: string;
  /** The span the upstream is to see as its parent. */
  readonly upstreamSpanId: string;
  /** Of the caller's span; undefined when the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly isSampled: boolean;
}

/** Phases: response, log. */
export interface TraceReader {
  /** Undefined when the node records nothing and no plugin has asked for a trace in access. */
  getContext(): TraceContext | undefined;
}

/** What the caller said, as far as it said something. Malformed ids throw a TypeError. */
export interface TraceJoin {
  readonly traceId?: string | undefined;
  readonly parentSpanId?: string | undefined;
  readonly isSampled: boolean;
}

/** Phases: access. */
export interface TraceWriter {
  /** The trace as it stands; one that begins here unless a plugin has joined another. */
  getContext(): TraceContext;
  /** The node records spans (`tracing_instrumentations` is not `off`): otherwise no trace is ever sampled. */
  isRecording(): boolean;
  /** Whether a trace of this id is among the share `rate` (0…1, default: the node's). False when nothing is recorded. */
  isSampledAt(traceId: string, rate?: number): boolean;
  /** Makes the request part of the caller's trace, or decides about its own. Returns the trace as it stands then. */
  join(caller: TraceJoin): TraceContext;
}

/** Where spans or log lines go, and how hard to try. */
export interface ExportTarget {
  /** `http(s)://…/v1/traces` or `…/v1/logs` for OTLP over HTTP, `grpc(s)://host:port` for OTLP over gRPC. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** On top of `service.name`, `service.version` and `service.instance.id`, which they may replace. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Longest that one attempt may take. */
  readonly timeoutMs: number;
  readonly maxBatchSize: number;
  /** How long something may wait for others to share an export with. */
  readonly maxDelayMs: number;
  /** Kept in memory; what comes on top is dropped. */
  readonly maxQueueSize: number;
  /** How long a batch is tried again before it is given up. */
  readonly maxRetryMs: number;
  /** The pause before a first repetition; it doubles up to `maxRetryDelayMs`. */
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/** What is exported, and where to: what is left out stays here. */
export interface ExportTargets {
  readonly traces?: ExportTarget | undefined;
  readonly logs?: ExportTarget | undefined;
}

/** Phases: log. Needs the capability `traceExport`. */
export interface TraceExporter extends TraceReader {
  /**
   * Hands what is known of this request to exporters in the host, once: its spans when the trace is sampled, and the
   * lines that it left in the log.
   * Throws without the capability; otherwise returns at once, and what cannot be delivered is logged by the host.
   * Targets are known by identity: pass the same object for every request of a configuration.
   */
  export(targets: ExportTargets): void;
}
