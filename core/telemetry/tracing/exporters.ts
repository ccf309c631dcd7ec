/** The pipelines of a worker, by where they lead: made with the first item, closed when they grow too many. */
import type { GatewayLogger } from '../logger.ts';
import type { ExportPipeline, NodeIdentity } from './export-pipeline.ts';
import { type ExportTargets, parseExportTargets } from './export-target.ts';
import type { LogRecord } from './log-record.ts';
import type { SpanRecord } from './span-record.ts';

/** Targets of former configurations among them. The one made first goes first. */
const MAX_DESTINATIONS = 32;
const QUIET_MS = 30_000;

interface Destination {
  readonly targets: ExportTargets;
  spans: Promise<ExportPipeline<SpanRecord>> | undefined;
  logs: Promise<ExportPipeline<LogRecord>> | undefined;
}

export class Exporters {
  readonly #node: NodeIdentity;
  readonly #logger: GatewayLogger;
  readonly #destinations = new Map<string, Destination>();
  #lost = 0;
  #quietUntilMs = 0;

  constructor(node: NodeIdentity, logger: GatewayLogger) {
    this.#node = node;
    this.#logger = logger;
  }

  /** Never throws and never waits: what cannot be exported is logged. */
  send(targetsJson: string, spans: readonly SpanRecord[], logs: readonly LogRecord[]): void {
    try {
      const destination = this.#destinationOf(targetsJson);
      const { targets } = destination;
      if (targets.traces !== undefined && spans.length > 0) {
        destination.spans ??= this.#openSpans(targets.traces);
        this.#add(destination.spans, spans);
      }
      if (targets.logs !== undefined && logs.length > 0) {
        destination.logs ??= this.#openLogs(targets.logs);
        this.#add(destination.logs, logs);
      }
    } catch (error) {
      this.#noteLoss(spans.length + logs.length, String(error));
    }
  }

  /** Loads what exporting spans takes, which blocks the thread for a moment. Never rejects. */
  async prepare(): Promise<void> {
    await import('./span-pipeline.ts').catch((error: unknown) =>
      this.#logger.error({ err: error }, 'traces cannot be exported'),
    );
  }

  /** Delivers what is queued, within the time given. */
  async shutdown(limitMs: number): Promise<void> {
    const closing = [...this.#destinations.values()].map(close);
    this.#destinations.clear();
    if (closing.length === 0) return;
    await Promise.race([
      Promise.allSettled(closing),
      new Promise((resolve) => setTimeout(resolve, limitMs).unref()),
    ]);
  }

  #destinationOf(targetsJson: string): Destination {
    let destination = this.#destinations.get(targetsJson);
    if (destination === undefined) {
      destination = { targets: parseExportTargets(targetsJson), spans: undefined, logs: undefined };
      this.#destinations.set(targetsJson, destination);
      this.#retireOldest();
    }
    return destination;
  }

  #retireOldest(): void {
    if (this.#destinations.size <= MAX_DESTINATIONS) return;
    for (const [targetsJson, destination] of this.#destinations) {
      this.#destinations.delete(targetsJson);
      void close(destination);
      return;
    }
  }

  // What a node does not export it does not load either.

  async #openSpans(target: NonNullable<ExportTargets['traces']>): Promise<ExportPipeline<SpanRecord>> {
    const { createSpanPipeline } = await import('./span-pipeline.ts');
    return createSpanPipeline(target, this.#node, this.#noteLoss);
  }

  async #openLogs(target: NonNullable<ExportTargets['logs']>): Promise<ExportPipeline<LogRecord>> {
    const { createLogPipeline } = await import('./log-pipeline.ts');
    return createLogPipeline(target, this.#node, this.#noteLoss);
  }

  #add<Item>(pipeline: Promise<ExportPipeline<Item>>, items: readonly Item[]): void {
    pipeline
      .then((open) => open.add(items))
      .catch((error: unknown) => this.#noteLoss(items.length, String(error)));
  }

  /** A backend that is down is news once in a while, not with every batch. */
  readonly #noteLoss = (count: number, reason: string): void => {
    this.#lost += count;
    if (Date.now() < this.#quietUntilMs) return;
    this.#quietUntilMs = Date.now() + QUIET_MS;
    this.#logger.warn({ lost: this.#lost, reason }, 'spans or log lines could not be exported');
    this.#lost = 0;
  };
}

async function close({ spans, logs }: Destination): Promise<void> {
  await Promise.allSettled([spans, logs].map(async (pipeline) => (await pipeline)?.shutdown()));
}
