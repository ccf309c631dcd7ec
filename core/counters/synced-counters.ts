/**
 * Counters in Redis that a worker looks at only now and then. In between it decides from memory: what Redis held when
 * it was asked, and what the worker has admitted since. Contract/plugins.md section 2.5.
 */
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import type { RedisConnection } from './redis-connection.ts';
import { takeInRedis } from './redis-counters.ts';
import { ADD_SCRIPT } from './redis-scripts.ts';

/** So many windows at once are reason enough to write them down early. */
const MAX_WINDOWS = 50_000;

interface Remembered {
  readonly key: string;
  readonly expiresAtMs: number;
  /** Use in Redis before the call that asked. */
  used: number;
  /** What has to be added to Redis. The call that asked has been counted there, so this starts below zero. */
  delta: number;
  /** Redis is being asked. */
  reading: Promise<void> | undefined;
}

export class SyncedCounters {
  readonly #connection: RedisConnection;
  readonly #intervalMs: number;
  #windows = new Map<string, Remembered>();
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: RedisConnection, syncRateSeconds: number) {
    this.#connection = connection;
    this.#intervalMs = syncRateSeconds * 1000;
  }

  /** Counts `cost` in every window, or in none when one is full; resolves to the use of each as far as it is known. */
  async take(windows: readonly WindowArgument[], cost: number): Promise<readonly number[]> {
    if (cost === 0) return this.#look(windows);
    const asked = this.#askForUnknown(windows, cost);
    const remembered = windows.map(({ key }) => this.#windows.get(key) as Remembered);
    await Promise.all(remembered.map(({ reading }) => reading));
    // Written down meanwhile: what is added now would be added nowhere.
    if (remembered.some((window) => this.#windows.get(window.key) !== window))
      return this.take(windows, cost);
    // The call that asked Redis goes by what it was told; what it has counted there is only made up for in `delta`.
    const uses = remembered.map((window) => window.used + (asked.has(window) ? 0 : window.delta));
    if (windows.every(({ limit }, at) => (uses[at] as number) < limit)) {
      for (const window of remembered) window.delta += cost;
    }
    return uses;
  }

  /** Writes down what is due. Never rejects: what cannot be written is forgotten, as the contract has it. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due: Remembered[] = [];
    const kept = new Map<string, Remembered>();
    for (const window of this.#windows.values()) {
      if (window.reading === undefined) due.push(window);
      else kept.set(window.key, window);
    }
    // Whoever comes now asks Redis again, behind what is written here on the same connection.
    this.#windows = kept;
    if (kept.size > 0) this.#startTimer();
    await Promise.allSettled(
      due.map(async ({ key, delta, expiresAtMs }) => {
        if (delta !== 0)
          await this.#connection.run(ADD_SCRIPT, [key], [delta, Math.ceil(expiresAtMs / 1000)]);
      }),
    );
  }

  async #look(windows: readonly WindowArgument[]): Promise<readonly number[]> {
    const used = await takeInRedis(this.#connection, windows, 0);
    return used.map(
      (inRedis, at) => inRedis + (this.#windows.get((windows[at] as WindowArgument).key)?.delta ?? 0),
    );
  }

  /** One question for all windows that nothing is known of; returns them. */
  #askForUnknown(windows: readonly WindowArgument[], cost: number): ReadonlySet<Remembered> {
    const asked: Remembered[] = [];
    const questions: WindowArgument[] = [];
    for (const window of windows) {
      if (this.#windows.has(window.key)) continue;
      const { key, expiresAtMs } = window;
      const remembered: Remembered = { key, expiresAtMs, used: 0, delta: -cost, reading: undefined };
      this.#windows.set(key, remembered);
      asked.push(remembered);
      questions.push(window);
    }
    if (asked.length === 0) return NOTHING;
    const reading = takeInRedis(this.#connection, questions, cost).then(
      (used) => {
        for (const [at, window] of asked.entries()) {
          window.used = used[at] as number;
          window.reading = undefined;
        }
      },
      (error: unknown) => {
        for (const window of asked) this.#forget(window);
        throw error;
      },
    );
    for (const window of asked) window.reading = reading;
    if (this.#windows.size > MAX_WINDOWS) void this.flush();
    else this.#startTimer();
    return new Set(asked);
  }

  #forget(window: Remembered): void {
    if (this.#windows.get(window.key) === window) this.#windows.delete(window.key);
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#intervalMs).unref();
  }
}

const NOTHING: ReadonlySet<Remembered> = new Set();
