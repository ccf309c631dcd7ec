/**
 * From span records to one backend: OpenTelemetry's batching, and its OTLP exporter over HTTP or gRPC. This module is
 * loaded when the first target turns up: a node without one does not have the SDK in memory.
 */
import { Metadata } from '@grpc/grpc-js';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';
import { toReadableSpan } from './readable-span.ts';
import { RetryingExporter } from './retrying-exporter.ts';
import type { SpanRecord } from './span-record.ts';
import type { TraceTarget } from './trace-target.ts';

export interface SpanPipeline {
  /** Returns at once. Spans beyond what the target's queue holds are dropped. */
  add(spans: readonly SpanRecord[]): void;
  /** Delivers what is queued, with one try each, and closes connections. */
  shutdown(): Promise<void>;
}

export interface NodeIdentity {
  readonly nodeId: string;
  readonly version: string;
}

/** Room for the last try of a batch. */
const GRACE_MS = 1000;

export function createSpanPipeline(
  target: TraceTarget,
  node: NodeIdentity,
  onGivenUp: (spans: number, reason: string) => void,
): SpanPipeline {
  const exporter = new RetryingExporter(createExporter(target), target, onGivenUp);
  const processor = new BatchSpanProcessor({
    exporter,
    maxExportBatchSize: target.maxBatchSpans,
    maxQueueSize: Math.max(target.maxQueuedSpans, target.maxBatchSpans),
    scheduledDelayMillis: target.maxDelayMs,
    exportTimeoutMillis: Math.min(2 ** 31 - 1, target.maxRetryMs + target.timeoutMs + GRACE_MS),
  });
  const resource = resourceFromAttributes({
    'service.name': 'kong',
    'service.version': node.version,
    'service.instance.id': node.nodeId,
    ...target.resourceAttributes,
  });
  return {
    add: (spans) => {
      for (const span of spans)
        processor.onEnd(toReadableSpan(span, resource) as Parameters<typeof processor.onEnd>[0]);
    },
    shutdown: async () => {
      exporter.close();
      await processor.shutdown();
    },
  };
}

function createExporter({ protocol, url, headers, timeoutMs }: TraceTarget): SpanExporter {
  if (protocol === 'http')
    return new HttpExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  return new GrpcExporter({ url, metadata, timeoutMillis: timeoutMs });
}
