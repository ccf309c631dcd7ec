import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type WindowUse } from '../../../../plugins/rate-limiting/decide.ts';
import {
  PERIOD_SECONDS,
  PERIODS,
  type Period,
  windowStartMs,
} from '../../../../plugins/rate-limiting/window.ts';

const NOW = Date.parse('2024-05-06T07:08:09.500Z');

function use(period: Period, limit: number, used: number): WindowUse {
  return { period, limit, used, startMs: windowStartMs(period, NOW) };
}

describe('a decision', () => {
  it('lets a request pass while something remains, and shows one less', () => {
    expect(decide([use('minute', 5, 4)], NOW)).toEqual({
      isAllowed: true,
      resetSeconds: 51,
      headers: [
        ['X-RateLimit-Limit-Minute', 5],
        ['X-RateLimit-Remaining-Minute', 0],
        ['RateLimit-Limit', 5],
        ['RateLimit-Remaining', 0],
        ['RateLimit-Reset', 51],
      ],
    });
  });

  it('refuses when nothing remains, and shows what the other windows really have', () => {
    const decision = decide([use('minute', 5, 5), use('hour', 10, 5)], NOW);
    expect(decision.isAllowed).toBe(false);
    expect(Object.fromEntries(decision.headers)).toMatchObject({
      'X-RateLimit-Remaining-Minute': 0,
      'X-RateLimit-Remaining-Hour': 5,
      'RateLimit-Limit': 5,
    });
  });

  it('refuses when any of the windows is full', () => {
    expect(decide([use('minute', 5, 0), use('hour', 5, 5)], NOW).isAllowed).toBe(false);
  });

  it('takes the longest of equally tight windows', () => {
    const { headers } = decide([use('minute', 5, 0), use('hour', 9, 4), use('day', 100, 0)], NOW);
    expect(Object.fromEntries(headers)).toMatchObject({
      'RateLimit-Limit': 9,
      'RateLimit-Remaining': 4,
      'RateLimit-Reset': 3111,
    });
  });

  it('never shows less than nothing, also where a limit was lowered', () => {
    const { headers } = decide([use('minute', 2, 7)], NOW);
    expect(Object.fromEntries(headers)['X-RateLimit-Remaining-Minute']).toBe(0);
  });

  it('lets one more pass for the rest of a fraction', () => {
    const { isAllowed, headers } = decide([use('minute', 1.5, 1)], NOW);
    expect(isAllowed).toBe(true);
    expect(Object.fromEntries(headers)['RateLimit-Remaining']).toBe(0);
    expect(decide([use('minute', 1.5, 2)], NOW).isAllowed).toBe(false);
  });

  it('follows the rules for any windows', () => {
    const anyUses = fc
      .uniqueArray(fc.constantFrom(...PERIODS), { minLength: 1 })
      .chain((periods) =>
        fc.tuple(
          ...periods.map((period) =>
            fc.record({
              period: fc.constant(period),
              limit: fc.integer({ min: 1, max: 50 }),
              used: fc.integer({ min: 0, max: 60 }),
            }),
          ),
        ),
      )
      .map((uses) => uses.toSorted((a, b) => PERIOD_SECONDS[a.period] - PERIOD_SECONDS[b.period]));
    fc.assert(
      fc.property(anyUses, (given) => {
        const uses = given.map(({ period, limit, used }) => use(period, limit, used));
        const { isAllowed, headers: list, resetSeconds } = decide(uses, NOW);
        const headers = Object.fromEntries(list);
        expect(isAllowed).toBe(uses.every(({ limit, used }) => used < limit));
        expect(Object.keys(headers)).toHaveLength(uses.length * 2 + 3);
        const shown = Object.entries(headers).filter(([name]) => name.startsWith('X-RateLimit-Remaining-'));
        expect(headers['RateLimit-Remaining']).toBe(Math.min(...shown.map(([, value]) => value)));
        expect(headers['RateLimit-Reset']).toBe(resetSeconds);
      }),
    );
  });
});
