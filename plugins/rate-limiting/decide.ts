/** From the use of each window to a decision and the headers that tell the client. Contract/plugins.md section 2.4. Pure. */
import { type Period, resetSeconds } from './window.ts';

const HEADER_NAMES: Readonly<Record<Period, readonly [limit: string, remaining: string]>> = {
  second: ['X-RateLimit-Limit-Second', 'X-RateLimit-Remaining-Second'],
  minute: ['X-RateLimit-Limit-Minute', 'X-RateLimit-Remaining-Minute'],
  hour: ['X-RateLimit-Limit-Hour', 'X-RateLimit-Remaining-Hour'],
  day: ['X-RateLimit-Limit-Day', 'X-RateLimit-Remaining-Day'],
  month: ['X-RateLimit-Limit-Month', 'X-RateLimit-Remaining-Month'],
  year: ['X-RateLimit-Limit-Year', 'X-RateLimit-Remaining-Year'],
};

export interface WindowUse {
  readonly period: Period;
  readonly limit: number;
  /** Requests counted in the window before this one. */
  readonly used: number;
  readonly startMs: number;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** Of the tightest window; the value of Retry-After too. */
  readonly resetSeconds: number;
  /** `X-RateLimit-*` of every window and `RateLimit-*` of the tightest. */
  readonly headers: readonly RateHeader[];
}

export type RateHeader = readonly [name: string, value: number];

/** `uses` in ascending order of period, not empty. */
export function decide(uses: readonly WindowUse[], nowMs: number): Decision {
  const blocking = uses.find(({ limit, used }) => limit - used <= 0);
  const headers: RateHeader[] = [];
  let tightest: WindowUse | undefined;
  let tightestRemaining = Number.POSITIVE_INFINITY;
  for (const use of uses) {
    // A refused request counts nowhere, so the windows that did not refuse it keep their real remainder.
    const taken = blocking === undefined || use === blocking ? 1 : 0;
    const remaining = Math.max(0, use.limit - use.used - taken);
    const [limitName, remainingName] = HEADER_NAMES[use.period];
    headers.push([limitName, use.limit], [remainingName, remaining]);
    if (remaining <= tightestRemaining) {
      tightest = use;
      tightestRemaining = remaining;
    }
  }
  const reset = tightest === undefined ? 1 : resetSeconds(tightest.period, tightest.startMs, nowMs);
  headers.push(
    ['RateLimit-Limit', tightest?.limit ?? 0],
    ['RateLimit-Remaining', tightestRemaining],
    ['RateLimit-Reset', reset],
  );
  return { isAllowed: blocking === undefined, resetSeconds: reset, headers };
}
