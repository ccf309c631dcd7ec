/** `kong.counters`: one host call counts in every window at once. */
import type { CounterWindow } from '../counters.ts';
import type { CallState } from './call-state.ts';
import { callHostFor } from './outbox.ts';

export function takeFromCounters(
  call: CallState,
  windows: readonly CounterWindow[],
  cost = 1,
): Promise<readonly number[]> {
  if (!Number.isInteger(cost) || cost < 0) throw new RangeError(`cost must be a whole number, not ${cost}`);
  return callHostFor(call, 'counters.take', {
    cost,
    windows: windows.map(({ key, limit, expiresAtMs }) => [key, limit, expiresAtMs] as const),
  });
}
