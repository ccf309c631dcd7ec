/** Batches and outages of counters in the database, on a table that lives in a Map. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CounterTable, createClusterCounters } from '../../../../core/counters/cluster-counters.ts';

const told: string[] = [];
const EVENTS = {
  onLost: (reason: string) => void told.push(`lost: ${reason}`),
  onRecovered: () => void told.push('back'),
};
const takeOf = (key: string, limit = 3) => ({ windows: [{ key, limit, expiresAtMs: 4e12 }], cost: 1 });

interface FakeTable extends CounterTable {
  /** What the next transactions do; by default they succeed. */
  behave: () => Promise<void>;
  transactions: number;
}

function createFakeTable(): FakeTable {
  const values = new Map<string, number>();
  const table: FakeTable = {
    behave: async () => {},
    transactions: 0,
    async count(windows, decide) {
      table.transactions++;
      await table.behave();
      const added = decide(new Map(windows.map(({ key }) => [key, values.get(key) ?? 0])));
      for (const [key, value] of added) values.set(key, (values.get(key) ?? 0) + value);
    },
  };
  return table;
}

beforeEach(() => {
  told.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

describe('calls in the database', () => {
  it('go together into the transaction after the one under way', async () => {
    const table = createFakeTable();
    const counters = createClusterCounters(table, EVENTS);
    const uses = await Promise.all(Array.from({ length: 50 }, () => counters.takeAll([takeOf('a', 20)])));
    expect(table.transactions).toBe(2);
    expect(uses.flat(2).filter((used) => used < 20)).toHaveLength(20);
  });

  it('fail with the reason, and at once from then on, until the database is found to be back', async () => {
    const table = createFakeTable();
    const counters = createClusterCounters(table, EVENTS);
    table.behave = () => Promise.reject(new Error('connection refused'));
    await expect(counters.takeAll([takeOf('a')])).rejects.toThrow(
      'the database cannot count: connection refused',
    );
    await vi.advanceTimersByTimeAsync(0);
    const before = table.transactions;
    await expect(counters.takeAll([takeOf('a')])).rejects.toThrow('connection refused');
    expect(table.transactions).toBe(before);
    await vi.advanceTimersByTimeAsync(2100);
    // Nobody asked; it looked by itself, not too often.
    expect(table.transactions - before).toBe(4);
    table.behave = async () => {};
    await vi.advanceTimersByTimeAsync(600);
    expect(await counters.takeAll([takeOf('a')])).toEqual([[0]]);
    expect(told).toEqual(['lost: connection refused', 'back']);
  });

  it('fail alone when the database is well', async () => {
    const table = createFakeTable();
    const counters = createClusterCounters(table, EVENTS);
    table.behave = () => {
      table.behave = async () => {};
      return Promise.reject(new Error('deadlock detected'));
    };
    await expect(counters.takeAll([takeOf('a')])).rejects.toThrow('deadlock detected');
    await vi.advanceTimersByTimeAsync(0);
    expect(await counters.takeAll([takeOf('a')])).toEqual([[0]]);
  });

  it('wait three seconds for a database that is silent, once', async () => {
    const table = createFakeTable();
    const counters = createClusterCounters(table, EVENTS);
    let answer = () => {};
    table.behave = () => new Promise((resolve) => (answer = resolve));
    const first = counters.takeAll([takeOf('a')]);
    const queued = counters.takeAll([takeOf('a')]);
    const failures = Promise.allSettled([first, queued]);
    await vi.advanceTimersByTimeAsync(3000);
    expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(counters.takeAll([takeOf('a')])).rejects.toThrow('no answer within 3000 ms');
    expect(table.transactions).toBe(1);
    table.behave = async () => {};
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(await counters.takeAll([takeOf('a')])).toEqual([[1]]);
    expect(told).toEqual(['lost: no answer within 3000 ms', 'back']);
  });

  it('come back although a transaction never ends', async () => {
    const table = createFakeTable();
    const counters = createClusterCounters(table, EVENTS);
    table.behave = () => new Promise(() => {});
    counters.takeAll([takeOf('a')]).catch(() => {});
    await vi.advanceTimersByTimeAsync(5000);
    table.behave = async () => {};
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await counters.takeAll([takeOf('a')])).toEqual([[0]]);
    counters.close();
  });
});
