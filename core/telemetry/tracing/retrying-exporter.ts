/** Tries a batch of spans again, with growing pauses, until it is through or its time is up. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

export interface RetryPolicy {
  readonly maxRetryMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

type ExportCallback = Parameters<SpanExporter['export']>[1];
type ExportResult = Parameters<ExportCallback>[0];

/** Of OpenTelemetry's ExportResultCode. */
const SUCCESS = 0;

export class RetryingExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #policy: RetryPolicy;
  readonly #onGivenUp: (spans: number, reason: string) => void;
  readonly #pauses = new Set<{ readonly timer: NodeJS.Timeout; readonly end: () => void }>();
  #underWay = 0;
  #idleWaiters: (() => void)[] = [];
  #isClosing = false;

  /** `onGivenUp` hears of every batch that is lost. */
  constructor(inner: SpanExporter, policy: RetryPolicy, onGivenUp: (spans: number, reason: string) => void) {
    this.#inner = inner;
    this.#policy = policy;
    this.#onGivenUp = onGivenUp;
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    this.#underWay++;
    void this.#deliver(spans).then((result) => {
      if (result.code !== SUCCESS) this.#onGivenUp(spans.length, result.error?.message ?? 'it was refused');
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

  async #deliver(spans: ReadableSpan[]): Promise<ExportResult> {
    const deadlineMs = Date.now() + this.#policy.maxRetryMs;
    let delayMs = this.#policy.retryDelayMs;
    for (;;) {
      const isLast = this.#isClosing || Date.now() + delayMs > deadlineMs;
      const result = await this.#tryOnce(spans);
      if (result.code === SUCCESS || isLast) return result;
      await this.#pause(delayMs);
      delayMs = Math.min(delayMs * 2, this.#policy.maxRetryDelayMs);
    }
  }

  #tryOnce(spans: ReadableSpan[]): Promise<ExportResult> {
    return new Promise((resolve) => this.#inner.export(spans, resolve));
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
