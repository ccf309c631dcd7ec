/** Tries a batch of spans or log lines again, with growing pauses, until it is through or its time is up. */
import type { SpanExporter } from '@opentelemetry/sdk-trace';

export interface RetryPolicy {
  readonly maxRetryMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

type ExportCallback = Parameters<SpanExporter['export']>[1];
type ExportResult = Parameters<ExportCallback>[0];

/** An exporter of OpenTelemetry's SDK, whatever it exports. */
export interface Exporter<Item> {
  export(items: Item[], done: ExportCallback): void;
  shutdown(): Promise<void>;
}

/** Hears of every batch that is lost. */
export type OnGivenUp = (count: number, reason: string) => void;

/** Of OpenTelemetry's ExportResultCode. */
const SUCCESS = 0;
const FAILED = 1;

export class RetryingExporter<Item> implements Exporter<Item> {
  readonly #inner: Exporter<Item>;
  readonly #policy: RetryPolicy;
  readonly #onGivenUp: OnGivenUp;
  readonly #pauses = new Set<{ readonly timer: NodeJS.Timeout; readonly end: () => void }>();
  #underWay = 0;
  #idleWaiters: (() => void)[] = [];
  #isClosing = false;

  constructor(inner: Exporter<Item>, policy: RetryPolicy, onGivenUp: OnGivenUp) {
    this.#inner = inner;
    this.#policy = policy;
    this.#onGivenUp = onGivenUp;
  }

  export(items: Item[], done: ExportCallback): void {
    this.#underWay++;
    void this.#deliver(items).then((result) => {
      if (result.code !== SUCCESS) this.#onGivenUp(items.length, result.error?.message ?? 'it was refused');
      this.#underWay--;
      if (this.#underWay === 0) {
        const waiters = this.#idleWaiters;
        this.#idleWaiters = [];
        for (const resolve of waiters) resolve();
      }
      done(result);
    });
  }

  async forceFlush(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** From now on each batch gets one more try, and no pause. */
  close(): void {
    this.#isClosing = true;
    for (const { timer, end } of this.#pauses) {
      clearTimeout(timer);
      end();
    }
    this.#pauses.clear();
  }

  async shutdown(): Promise<void> {
    this.close();
    await this.forceFlush();
    await this.#inner.shutdown();
  }

  async #deliver(items: Item[]): Promise<ExportResult> {
    const deadlineMs = Date.now() + this.#policy.maxRetryMs;
    let delayMs = this.#policy.retryDelayMs;
    for (;;) {
      const isLast = this.#isClosing || Date.now() + delayMs > deadlineMs;
      const result = await this.#tryOnce(items);
      if (result.code === SUCCESS || isLast) return result;
      await this.#pause(delayMs);
      delayMs = Math.min(delayMs * 2, this.#policy.maxRetryDelayMs);
    }
  }

  /** Never rejects. */
  async #tryOnce(items: Item[]): Promise<ExportResult> {
    try {
      return await new Promise<ExportResult>((resolve) => this.#inner.export(items, resolve));
    } catch (error) {
      return { code: FAILED, error: error as Error };
    }
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#isClosing) return Promise.resolve();
    return new Promise((resolve) => {
      const pause = {
        timer: setTimeout(() => {
          this.#pauses.delete(pause);
          resolve();
        }, delayMs).unref(),
        end: resolve,
      };
      this.#pauses.add(pause);
    });
  }
}
