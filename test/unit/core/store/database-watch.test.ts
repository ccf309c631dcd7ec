import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DatabaseWatch } from '../../../../core/store/database-watch.ts';
import { StoreUnavailableError } from '../../../../core/store/entity-error.ts';
import type { EntityStore } from '../../../../core/store/entity-store.ts';
import { createGuard, guardStore } from '../../../../core/store/guard-store.ts';

let isUp: boolean;
let recovery: () => Promise<void>;
let told: string[];
let dropped: number;
let watch: DatabaseWatch;

beforeEach(() => {
  vi.useFakeTimers();
  isUp = true;
  told = [];
  dropped = 0;
  recovery = async () => void told.push('caught up');
  watch = new DatabaseWatch(
    {
      probe: async () => {
        if (!isUp) throw new Error('connection refused');
      },
      dropConnections: () => {
        dropped++;
      },
      recover: () => recovery(),
    },
    {
      onLost: (problem) => told.push(`lost: ${problem}`),
      onUnusable: (problem) => told.push(`unusable: ${problem}`),
      onRecovered: () => told.push('recovered'),
    },
  );
});
afterEach(async () => {
  const stopped = watch.stop();
  await vi.advanceTimersByTimeAsync(2000);
  await stopped;
  vi.useRealTimers();
});

it('believes in the database again when the probe of a suspicion is answered', async () => {
  watch.suspect();
  await vi.advanceTimersByTimeAsync(10);
  expect([watch.problem, told, dropped]).toEqual([undefined, [], 0]);
});

it('is lost when the probe fails too, and recovered once it is caught up with', async () => {
  isUp = false;
  watch.suspect();
  await vi.advanceTimersByTimeAsync(5000);
  expect([watch.problem, told, dropped]).toEqual(['connection refused', ['lost: connection refused'], 1]);
  isUp = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(watch.problem).toBeUndefined();
  expect(told.slice(1)).toEqual(['caught up', 'recovered']);
});

it('stays lost while it answers and cannot be caught up with, and says why once', async () => {
  recovery = () => Promise.reject(new Error('the database lacks a migration'));
  watch.lose('gone');
  await vi.advanceTimersByTimeAsync(5000);
  expect(watch.problem).toBe('the database lacks a migration');
  expect(told).toEqual(['lost: gone', 'unusable: the database lacks a migration']);
});

it('refuses work at once while the database is lost', async () => {
  watch.lose('gone');
  const work = vi.fn(async () => 1);
  await expect(createGuard(watch)(work)).rejects.toThrow(StoreUnavailableError);
  expect(work).not.toHaveBeenCalled();
});

it('finds a database lost that has fallen silent, before those who wait for it give up', async () => {
  isUp = false;
  let hasFailed = false;
  const waiting = createGuard(watch)(() => new Promise<never>(() => {})).catch(() => {
    hasFailed = true;
  });
  await vi.advanceTimersByTimeAsync(2000);
  expect([watch.problem, hasFailed, dropped]).toEqual(['connection refused', false, 1]);
  await vi.advanceTimersByTimeAsync(10_000);
  await waiting;
  expect(hasFailed).toBe(true);
});

it('cuts connections that never answer, though the database does', async () => {
  const waiting = createGuard(watch)(() => new Promise<never>(() => {}));
  const outcome = expect(waiting).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(10_000);
  await outcome;
  expect([watch.problem, dropped]).toEqual([undefined, 1]);
});

it('passes on what the store answers, and its refusals as they are', async () => {
  const row = { id: 'a' };
  const store = {
    selectById: async () => row,
    insert: () => Promise.reject(new TypeError('no such column')),
  } as unknown as EntityStore;
  const guarded = guardStore(store, createGuard(watch));
  expect(await guarded.selectById({} as never, 'a')).toBe(row);
  await expect(guarded.insert({} as never, row)).rejects.toThrow(TypeError);
  expect(watch.problem).toBeUndefined();
});
