/**
 * From span records to one backend: OpenTelemetry's batching, and its OTLP exporter over HTTP or gRPC. This module is
 * loaded when the first target turns up: a node without one does not have the SDK in memory.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import {
  batchingOf,
  describeNode,
  type ExportPipeline,
  metadataOf,
  type NodeIdentity,
  pipelineOf,
} from './export-pipeline.ts';
import type { ExportTarget } from './export-target.ts';
import { toReadableSpan } from './readable-span.ts';
import { type OnGivenUp, RetryingExporter } from './retrying-exporter.ts';
import type { SpanRecord } from './span-record.ts';

export async function createSpanPipeline(
  target: ExportTarget,
  node: NodeIdentity,
  onGivenUp: OnGivenUp,
): Promise<ExportPipeline<SpanRecord>> {
  const exporter = new RetryingExporter<ReadableSpan>(await createExporter(target), target, onGivenUp);
  const processor = new BatchSpanProcessor({ exporter, ...batchingOf(target) });
  const resource = describeNode(node, target);
  return pipelineOf(exporter, processor, (span) =>
    processor.onEnd(toReadableSpan(span, resource) as Parameters<typeof processor.onEnd>[0]),
  );
}

async function createExporter(target: ExportTarget): Promise<SpanExporter> {
  const { protocol, url, headers, timeoutMs: timeoutMillis } = target;
  if (protocol === 'http') return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis });
  const grpc = await import('@opentelemetry/exporter-trace-otlp-grpc');
  return new grpc.OTLPTraceExporter({ url, metadata: await metadataOf(target), timeoutMillis });
}
