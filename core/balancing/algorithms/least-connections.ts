/** The address with the fewest requests under way for its weight; among equals each in turn. */
import type { BalancedAddress } from '../address.ts';
import { type Algorithm, listUsable, type MakeAlgorithm } from './algorithm.ts';

export const makeLeastConnections: MakeAlgorithm = (addresses, { random }): Algorithm => {
  const usable = listUsable(addresses);
  let start = Math.floor(random() * usable.length);

  const findLeast = (tried: readonly BalancedAddress[]): BalancedAddress | undefined => {
    let best: BalancedAddress | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (let step = 0; step < usable.length; step++) {
      const at = start + step;
      const address = usable[at < usable.length ? at : at - usable.length]!;
      const load = (address.active + 1) / address.weight;
      if (load >= bestLoad || (tried.length > 0 && tried.includes(address))) continue;
      best = address;
      bestLoad = load;
    }
    return best;
  };

  return {
    pick(_hash, tried) {
      start = start + 1 < usable.length ? start + 1 : 0;
      return findLeast(tried) ?? findLeast([]);
    },
  };
};
