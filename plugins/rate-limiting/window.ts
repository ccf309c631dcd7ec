/** Fixed windows of the UTC calendar, and how long their counters live. Contract/plugins.md section 2.3. Pure. */

export const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const;

export type Period = (typeof PERIODS)[number];

/** Months and years count as 30 and 365 days, from the first hit on and for `RateLimit-Reset`. */
export const PERIOD_SECONDS: Readonly<Record<Period, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 2_592_000,
  year: 31_536_000,
};

const FIXED_MS: Readonly<Partial<Record<Period, number>>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Start of the window that `nowMs` lies in, in ms since the epoch. */
export function windowStartMs(period: Period, nowMs: number): number {
  const lengthMs = FIXED_MS[period];
  if (lengthMs !== undefined) return nowMs - (nowMs % lengthMs);
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), period === 'month' ? now.getUTCMonth() : 0, 1);
}

/** Seconds until the window is over, at least 1. */
export function resetSeconds(period: Period, startMs: number, nowMs: number): number {
  return Math.max(1, PERIOD_SECONDS[period] - Math.floor((nowMs - startMs) / 1000));
}
