import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PERIOD_SECONDS,
  PERIODS,
  resetSeconds,
  windowStartMs,
} from '../../../../plugins/rate-limiting/window.ts';

const at = (text: string) => Date.parse(text);
const anyTime = fc.date({ min: new Date(0), max: new Date('2999-12-31T23:59:59.999Z'), noInvalidDate: true });

describe('the start of a window', () => {
  it.each([
    ['second', '2024-02-29T23:59:59.000Z'],
    ['minute', '2024-02-29T23:59:00.000Z'],
    ['hour', '2024-02-29T23:00:00.000Z'],
    ['day', '2024-02-29T00:00:00.000Z'],
    ['month', '2024-02-01T00:00:00.000Z'],
    ['year', '2024-01-01T00:00:00.000Z'],
  ] as const)('is that of the UTC calendar for a %s', (period, start) => {
    expect(windowStartMs(period, at('2024-02-29T23:59:59.999Z'))).toBe(at(start));
    expect(windowStartMs(period, at(start))).toBe(at(start));
  });

  it('never lies ahead, is its own start, and is that of every moment since', () => {
    fc.assert(
      fc.property(
        anyTime,
        fc.constantFrom(...PERIODS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (date, period, part) => {
          const nowMs = date.getTime();
          const startMs = windowStartMs(period, nowMs);
          expect(startMs).toBeLessThanOrEqual(nowMs);
          expect(windowStartMs(period, startMs)).toBe(startMs);
          expect(windowStartMs(period, startMs + Math.floor((nowMs - startMs) * part))).toBe(startMs);
        },
      ),
    );
  });
});

describe('the seconds until a reset', () => {
  it('are the length of the period less whole seconds gone', () => {
    const startMs = at('2024-01-01T00:00:00.000Z');
    expect(resetSeconds('minute', startMs, startMs)).toBe(60);
    expect(resetSeconds('minute', startMs, startMs + 999)).toBe(60);
    expect(resetSeconds('minute', startMs, startMs + 1000)).toBe(59);
    expect(resetSeconds('minute', startMs, startMs + 59_999)).toBe(1);
    expect(resetSeconds('second', startMs, startMs + 500)).toBe(1);
  });

  it('count months as 30 and years as 365 days, and are never less than 1', () => {
    expect(resetSeconds('month', at('2024-01-01T00:00:00Z'), at('2024-01-02T00:00:00Z'))).toBe(29 * 86_400);
    expect(resetSeconds('month', at('2024-01-01T00:00:00Z'), at('2024-01-31T12:00:00Z'))).toBe(1);
    expect(resetSeconds('year', at('2024-01-01T00:00:00Z'), at('2024-12-31T12:00:00Z'))).toBe(1);
  });

  it('lie between 1 and the length of the period', () => {
    fc.assert(
      fc.property(anyTime, fc.constantFrom(...PERIODS), (date, period) => {
        const seconds = resetSeconds(period, windowStartMs(period, date.getTime()), date.getTime());
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(PERIOD_SECONDS[period]);
      }),
    );
  });
});
