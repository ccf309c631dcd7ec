/**
 * Whether the database can be used, told by probes beside the traffic: one failure makes it suspect, a probe decides,
 * and while it is lost nobody has to wait for it in vain. When it answers again it is first caught up with.
 */

export interface WatchedDatabase {
  /** Rejects within a bounded time when the database does not answer. */
  probe(): Promise<void>;
  /** Cuts connections that may be dead without knowing it. */
  dropConnections(): void;
  /** Makes good what was missed while it was lost. Rejects when that is not possible yet. */
  recover(): Promise<void>;
}

export interface WatchEvents {
  onLost(problem: string): void;
  /** It answers and cannot be used all the same; told once for each problem in a row. */
  onUnusable(problem: string): void;
  onRecovered(): void;
}

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 1000;

export class DatabaseWatch {
  readonly #database: WatchedDatabase;
  readonly #events: WatchEvents;
  readonly #stopping = new AbortController();
  #problem: string | undefined;
  #isChecking = false;
  #watching: Promise<void> | undefined;

  constructor(database: WatchedDatabase, events: WatchEvents) {
    this.#database = database;
    this.#events = events;
  }

  /** Undefined while the database can be used. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Something failed or took long: finds out whether the database is lost. Cheap to call often. */
  suspect(): void {
    if (this.#isChecking || this.#problem !== undefined || this.#stopping.signal.aborted) return;
    this.#isChecking = true;
    void this.#probe().then((problem) => {
      this.#isChecking = false;
      if (problem !== undefined) this.lose(problem);
    });
  }

  /** Something was never answered: its connection may have died in silence, and the others are no better then. */
  distrust(): void {
    this.#database.dropConnections();
    this.suspect();
  }

  /** From now on until it is recovered the database is lost. */
  lose(problem: string): void {
    if (this.#problem !== undefined || this.#stopping.signal.aborted) return;
    this.#problem = problem;
    this.#database.dropConnections();
    this.#events.onLost(problem);
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_RETRY_MS;
    let told: string | undefined;
    while (!signal.aborted) {
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
      if (signal.aborted) return;
      const unreachable = await this.#probe();
      if (unreachable !== undefined) {
        this.#problem = unreachable;
        continue;
      }
      try {
        await this.#database.recover();
        this.#problem = undefined;
        this.#events.onRecovered();
        return;
      } catch (error) {
        this.#problem = describe(error);
        if (told !== this.#problem) this.#events.onUnusable(this.#problem);
        told = this.#problem;
      }
    }
  }

  #probe(): Promise<string | undefined> {
    return this.#database.probe().then(
      () => undefined,
      (error: unknown) => describe(error),
    );
  }
}

/** Ends early when the signal says so. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A refused connection to several addresses has its reasons in a list, and a wrapped one in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : [];
  return first instanceof Error ? first.message : cause.message || cause.name;
}
