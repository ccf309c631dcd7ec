/**
 * Counters in the gateway's database. The calls of all workers are gathered while one transaction runs and go into the
 * next together. A transaction holds the rows it counts in, so what it decides is exact whoever else counts.
 */
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';

/** Rows of counters, by key. */
export interface CounterTable {
  /**
   * Hands `decide` the use of every window while nobody else can count in it, and adds what that returns, by key.
   * Rejects when the database cannot be asked; nothing has been counted then, or nobody knows.
   */
  count(
    windows: readonly Pick<WindowArgument, 'key' | 'expiresAtMs'>[],
    decide: (used: ReadonlyMap<string, number>) => ReadonlyMap<string, number>,
  ): Promise<void>;
}

export interface CounterTake {
  readonly windows: readonly WindowArgument[];
  readonly cost: number;
}

export interface ClusterCounters {
  /** For each call the use of its windows before it. Rejects at once while the database is known not to answer. */
  takeAll(takes: readonly CounterTake[]): Promise<readonly (readonly number[])[]>;
  close(): void;
}

export interface ClusterCounterEvents {
  /** Told once an outage. */
  onLost(reason: string): void;
  onRecovered(): void;
}

/** Longer than this no call waits for the database. */
const TIMEOUT_MS = 3000;
/** Between two attempts to reach a database that does not answer. */
const RETRY_MS = 500;
/** A transaction that has not even failed after this long is not waited for any more. */
const ABANDON_MS = 10_000;
const LONGEST_LIFETIME_MS = 10 * 366 * 86_400_000;
/** Calls in one transaction, and calls that wait for the next; more are refused. */
const MAX_BATCH = 1000;
const MAX_WAITING = 20_000;

interface Waiting {
  readonly take: CounterTake;
  resolve(uses: readonly number[]): void;
  reject(error: Error): void;
}

export function createClusterCounters(table: CounterTable, events: ClusterCounterEvents): ClusterCounters {
  let waiting: Waiting[] = [];
  /** Number of the transaction under way. */
  let running: number | undefined;
  let lastNumber = 0;
  let lostReason: string | undefined;
  const timers = new Set<NodeJS.Timeout>();

  const later = (delayMs: number, run: () => void): NodeJS.Timeout => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, delayMs).unref();
    timers.add(timer);
    return timer;
  };

  const lose = (batch: readonly Waiting[], error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const isNew = lostReason === undefined;
    lostReason = reason;
    if (isNew) events.onLost(reason);
    for (const { reject } of [...batch, ...waiting]) reject(cannotCount(reason));
    waiting = [];
  };

  const succeed = () => {
    if (lostReason !== undefined) events.onRecovered();
    lostReason = undefined;
    runNext();
  };

  /** One at a time, unless one never settles. With an empty batch it only finds out whether the database answers. */
  const run = (batch: readonly Waiting[]): void => {
    const number = ++lastNumber;
    running = number;
    const settle = (then: () => void) => {
      if (running !== number) return;
      running = undefined;
      for (const timer of [overdue, abandoned]) {
        clearTimeout(timer);
        timers.delete(timer);
      }
      then();
    };
    const overdue = later(TIMEOUT_MS, () => lose(batch, `no answer within ${TIMEOUT_MS} ms`));
    const abandoned = later(ABANDON_MS, () => settle(probe));
    countBatch(table, batch).then(
      () => settle(succeed),
      (error: unknown) =>
        settle(() => {
          lose(batch, error);
          // It may have been this transaction alone that could not be.
          if (batch.length > 0) probe();
          else later(RETRY_MS, probe);
        }),
    );
  };

  /** No request has to wait to find out whether the database is back. */
  const probe = () => run([]);

  const runNext = () => {
    if (running !== undefined || waiting.length === 0) return;
    run(waiting.splice(0, MAX_BATCH));
  };

  const takeOne = (take: CounterTake): Promise<readonly number[]> => {
    if (lostReason !== undefined) return Promise.reject(cannotCount(lostReason));
    if (waiting.length >= MAX_WAITING) return Promise.reject(cannotCount('too many calls'));
    return new Promise((resolve, reject) => waiting.push({ take, resolve, reject }));
  };

  return {
    takeAll(takes) {
      const all = Promise.all(takes.map(takeOne));
      runNext();
      return all;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      // No outage: nobody is told.
      lostReason ??= 'the node stops';
      lose([], lostReason);
    },
  };
}

function cannotCount(reason: string): Error {
  return new Error(`the database cannot count: ${reason}`);
}

/** Resolves the calls of the batch; rejects without having settled any. */
async function countBatch(table: CounterTable, batch: readonly Waiting[]): Promise<void> {
  const nowMs = Date.now();
  const windows = new Map<string, { key: string; expiresAtMs: number }>();
  for (const { take } of batch) {
    for (const { key, expiresAtMs } of take.windows) {
      // Whatever a plugin asks for: a time the database can hold, and not one that is over.
      const endsAtMs = Math.min(nowMs + LONGEST_LIFETIME_MS, Math.max(nowMs + 1000, expiresAtMs));
      windows.set(key, { key, expiresAtMs: endsAtMs });
    }
  }
  let uses: readonly (readonly number[])[] = [];
  await table.count([...windows.values()], (before) => {
    const used = new Map(before);
    const added = new Map<string, number>();
    uses = batch.map(({ take }) => admit(take, used, added));
    return added;
  });
  for (const [at, { resolve }] of batch.entries()) resolve(uses[at] as readonly number[]);
}

/** Counts in every window or, when one is full, in none. */
function admit(
  { windows, cost }: CounterTake,
  used: Map<string, number>,
  added: Map<string, number>,
): readonly number[] {
  const uses = windows.map(({ key }) => used.get(key) ?? 0);
  if (cost > 0 && windows.every(({ limit }, at) => (uses[at] as number) < limit)) {
    for (const { key } of windows) {
      used.set(key, (used.get(key) ?? 0) + cost);
      added.set(key, (added.get(key) ?? 0) + cost);
    }
  }
  return uses;
}
