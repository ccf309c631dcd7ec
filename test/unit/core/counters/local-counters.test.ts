/** Counting in fixed windows, on integers that live in a Map here. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLocalCounters, type LocalCounters } from '../../../../core/counters/local-counters.ts';

const stored = new Map<string, number>();
let isLocked = false;
let counters: LocalCounters;

beforeEach(() => {
  stored.clear();
  isLocked = false;
  counters = createLocalCounters({
    lock: () => {
      expect(isLocked).toBe(false);
      isLocked = true;
    },
    unlock: () => {
      isLocked = false;
    },
    getInteger: (key) => stored.get(key) ?? 0,
    incInteger: (key, by) => {
      stored.set(key, (stored.get(key) ?? 0) + by);
      return stored.get(key) ?? 0;
    },
    deleteInteger: (key) => {
      stored.delete(key);
    },
  });
});

const NEVER_MS = 4e12;
const windowOf = (key: string, limit: number, expiresAtMs = NEVER_MS) => ({ key, limit, expiresAtMs });

describe('a counter', () => {
  it('tells the use before each call and admits exactly up to the limit', () => {
    const uses = Array.from({ length: 5 }, () => counters.take([windowOf('a', 3)], 1)[0]);
    expect(uses).toEqual([0, 1, 2, 3, 3]);
    expect(stored.get('a')).toBe(3);
    expect(isLocked).toBe(false);
  });

  it('counts in every window or, when one is full, in none', () => {
    const windows = [windowOf('minute', 2), windowOf('hour', 5)];
    const uses = Array.from({ length: 4 }, () => counters.take(windows, 1));
    expect(uses).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [2, 2],
    ]);
  });

  it('may be looked at without counting', () => {
    counters.take([windowOf('a', 3)], 1);
    expect(counters.take([windowOf('a', 3)], 0)).toEqual([1]);
    expect(stored.get('a')).toBe(1);
  });

  it('never admits more than a naive count does', () => {
    const call = fc.record({ keys: fc.subarray(['a', 'b', 'c'], { minLength: 1 }), cost: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(call), (calls) => {
        stored.clear();
        const expected = new Map<string, number>();
        for (const { keys, cost } of calls) {
          const before = keys.map((key) => expected.get(key) ?? 0);
          expect(
            counters.take(
              keys.map((key) => windowOf(key, 4)),
              cost,
            ),
          ).toEqual(before);
          if (before.every((use) => use < 4))
            for (const [at, key] of keys.entries()) expected.set(key, (before[at] ?? 0) + cost);
        }
      }),
    );
  });

  it('is forgotten once it has expired, not before', () => {
    const nowMs = Date.now();
    counters.take([windowOf('soon', 1, nowMs + 2000)], 1);
    counters.take([windowOf('late', 1, nowMs + 3_600_000)], 1);
    counters.sweep(nowMs);
    expect([...stored.keys()]).toEqual(['soon', 'late']);
    for (let at = 1; at <= 5; at++) counters.sweep(nowMs + at * 1000);
    expect([...stored.keys()]).toEqual(['late']);
    counters.sweep(nowMs + 3_720_000);
    expect([...stored.keys()]).toEqual([]);
  });
});
