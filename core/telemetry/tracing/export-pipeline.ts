/** What the pipelines of spans and of log lines have in common. */
import type { Metadata } from '@grpc/grpc-js';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ExportTarget } from './export-target.ts';

/** From records of ours to one backend. */
export interface ExportPipeline<Item> {
  /** Returns at once. What is beyond the target's queue is dropped. */
  add(items: readonly Item[]): void;
  /** Delivers what is queued, with one try each, and closes connections. */
  shutdown(): Promise<void>;
}

export interface NodeIdentity {
  readonly nodeId: string;
  readonly version: string;
}

/** Room for the last try of a batch. */
const GRACE_MS = 1000;
/** Longer pauses do not fit into a timer. */
const MAX_MS = 2 ** 31 - 1;

/** What batch processors of the SDK have in common, and exporters that try again. */
interface Closing {
  close(): void;
}
interface Processing {
  shutdown(): Promise<void>;
}

/** `take` hands one record to the processor. */
export function pipelineOf<Item>(
  exporter: Closing,
  processor: Processing,
  take: (item: Item) => void,
): ExportPipeline<Item> {
  return {
    add: (items) => {
      for (const item of items) take(item);
    },
    shutdown: async () => {
      exporter.close();
      await processor.shutdown();
    },
  };
}

/** Options of the SDK's batch processors. */
export function batchingOf(target: ExportTarget) {
  return {
    maxExportBatchSize: target.maxBatchSize,
    maxQueueSize: Math.max(target.maxQueueSize, target.maxBatchSize),
    scheduledDelayMillis: target.maxDelayMs,
    exportTimeoutMillis: Math.min(MAX_MS, target.maxRetryMs + target.timeoutMs + GRACE_MS),
  };
}

export function describeNode({ nodeId, version }: NodeIdentity, target: ExportTarget): Resource {
  return resourceFromAttributes({
    'service.name': 'kong',
    'service.version': version,
    'service.instance.id': nodeId,
    ...target.resourceAttributes,
  });
}

/** The headers of a target as gRPC has them, which is loaded only here: most backends are reached over HTTP. */
export async function metadataOf({ headers }: ExportTarget): Promise<Metadata> {
  const { Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  return metadata;
}
