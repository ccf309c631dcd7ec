/**
 * From log records to one backend: OpenTelemetry's batching, and its OTLP exporter over HTTP or gRPC. Loaded when the
 * first line is to be exported.
 */
import { SeverityNumber, TraceFlags } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  type LogRecordExporter,
  type ReadableLogRecord,
} from '@opentelemetry/sdk-logs';
import {
  batchingOf,
  describeNode,
  type ExportPipeline,
  metadataOf,
  type NodeIdentity,
  pipelineOf,
} from './export-pipeline.ts';
import type { ExportTarget } from './export-target.ts';
import type { LogRecord, Severity } from './log-record.ts';
import { SCOPE, toHrTime } from './readable-span.ts';
import { type OnGivenUp, RetryingExporter } from './retrying-exporter.ts';

/** Contract/plugins.md section 4. */
const SEVERITIES: Readonly<Record<Severity, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  notice: SeverityNumber.INFO3,
  warn: SeverityNumber.WARN,
  err: SeverityNumber.ERROR,
  crit: SeverityNumber.ERROR3,
  alert: SeverityNumber.FATAL,
  emerg: SeverityNumber.FATAL3,
};

export async function createLogPipeline(
  target: ExportTarget,
  node: NodeIdentity,
  onGivenUp: OnGivenUp,
): Promise<ExportPipeline<LogRecord>> {
  const exporter = new RetryingExporter<ReadableLogRecord>(await createExporter(target), target, onGivenUp);
  const processor = new BatchLogRecordProcessor({ exporter, ...batchingOf(target) });
  const resource = describeNode(node, target);
  return pipelineOf(exporter, processor, (record) =>
    processor.onEmit(toReadableLogRecord(record, resource) as Parameters<typeof processor.onEmit>[0]),
  );
}

async function createExporter(target: ExportTarget): Promise<LogRecordExporter> {
  const { protocol, url, headers, timeoutMs: timeoutMillis } = target;
  if (protocol === 'http') return new OTLPLogExporter({ url, headers: { ...headers }, timeoutMillis });
  const grpc = await import('@opentelemetry/exporter-logs-otlp-grpc');
  return new grpc.OTLPLogExporter({ url, metadata: await metadataOf(target), timeoutMillis });
}

function toReadableLogRecord(record: LogRecord, resource: Resource): ReadableLogRecord {
  const { traceId, spanId, isSampled, plugin } = record;
  const time = toHrTime(record.atMs);
  return {
    hrTime: time,
    hrTimeObserved: time,
    ...(traceId !== '' && {
      spanContext: { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE },
    }),
    severityNumber: SEVERITIES[record.severity],
    severityText: record.severity,
    body: record.message,
    resource,
    instrumentationScope: SCOPE,
    attributes: { 'request.id': record.requestId, ...(plugin !== '' && { 'kong.plugin': plugin }) },
    droppedAttributesCount: 0,
  };
}
