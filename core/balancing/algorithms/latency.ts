/**
 * The better of two addresses drawn at random: the one whose answers come sooner, by a moving average that a slow one
 * raises at once, counted once for each request it is busy with. Drawing two keeps workers from all running to the same.
 */
import type { BalancedAddress } from '../address.ts';
import { type Algorithm, listUsable, type MakeAlgorithm } from './algorithm.ts';

export const makeLatency: MakeAlgorithm = (addresses, { random, nowMs }): Algorithm => {
  const usable = listUsable(addresses);

  return {
    pick(_hash, tried) {
      const untried = tried.length === 0 ? usable : usable.filter((address) => !tried.includes(address));
      const candidates = untried.length > 0 ? untried : usable;
      if (candidates.length < 2) return candidates[0];
      const first = Math.floor(random() * candidates.length);
      const other = Math.floor(random() * (candidates.length - 1));
      const one = candidates[first]!;
      const two = candidates[other < first ? other : other + 1]!;
      const usual = one.latencyMs === 0 || two.latencyMs === 0 ? averageOf(usable) : 0;
      const now = nowMs();
      return costOf(two, usual, now) < costOf(one, usual, now) ? two : one;
    },
  };
};

/** An address that has not answered yet is taken for a better one than the others, until it is busy. */
function costOf(address: BalancedAddress, usualMs: number, nowMs: number): number {
  const { latencyMs, active, weight } = address;
  return ((latencyMs === 0 ? usualMs / 2 : address.fadedLatencyMs(nowMs)) * (active + 1)) / weight;
}

function averageOf(addresses: readonly BalancedAddress[]): number {
  let sum = 0;
  let count = 0;
  for (const { latencyMs } of addresses) {
    if (latencyMs === 0) continue;
    sum += latencyMs;
    count++;
  }
  return count === 0 ? 1 : sum / count;
}
