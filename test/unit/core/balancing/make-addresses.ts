/** Addresses for tests of balancing. */
import { BalancedAddress } from '../../../../core/balancing/address.ts';
import { makeHealthMemory } from '../../../../core/balancing/health-cell.ts';

export function makeAddresses(...weights: readonly number[]): readonly BalancedAddress[] {
  return weights.map(
    (weight, at) =>
      new BalancedAddress({
        targetId: `target-${at}`,
        host: `10.0.0.${at + 1}`,
        ip: `10.0.0.${at + 1}`,
        port: 8000,
        weight,
        srvName: '',
        health: makeHealthMemory(),
      }),
  );
}

/** Numbers that look random and are the same every time (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
