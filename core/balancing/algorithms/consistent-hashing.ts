/**
 * The same address for the same input, and for most inputs also after addresses have come or gone: a ring of points,
 * of which each address owns some by its weight. Where one is down, those behind it on the ring step in.
 */
import type { BalancedAddress } from '../address.ts';
import { hashText } from '../hash-text.ts';
import type { Algorithm, MakeAlgorithm } from './algorithm.ts';

/** Of an address with the average weight. */
const POINTS_PER_ADDRESS = 160;
const MIN_SLOTS = 1000;
const HASHES = 2 ** 32;

export const makeConsistentHashing: MakeAlgorithm = (addresses, { slots }): Algorithm => {
  const owners = layRing(
    addresses.filter(({ weight }) => weight > 0),
    Math.max(slots, MIN_SLOTS),
  );

  const walk = (from: number, tried: readonly BalancedAddress[]): BalancedAddress | undefined => {
    let last: BalancedAddress | undefined;
    for (let step = 0; step < owners.length; step++) {
      const at = from + step;
      const owner = owners[at < owners.length ? at : at - owners.length]!;
      if (owner === last) continue;
      last = owner;
      if (owner.health.isHealthy && (tried.length === 0 || !tried.includes(owner))) return owner;
    }
    return undefined;
  };

  return {
    pick(hash, tried) {
      const from = Math.floor((hash / HASHES) * owners.length);
      const address = walk(from, tried);
      return address === undefined && tried.length > 0 ? walk(from, []) : address;
    },
  };
};

/** The owner of each slot: that of the first point at or behind it. The same on every node. */
function layRing(addresses: readonly BalancedAddress[], slots: number): readonly BalancedAddress[] {
  if (addresses.length === 0) return [];
  const total = addresses.reduce((sum, { weight }) => sum + weight, 0);
  const points = addresses.flatMap((owner) => {
    const share = (owner.weight / total) * addresses.length;
    const count = Math.max(1, Math.round(share * POINTS_PER_ADDRESS));
    return Array.from({ length: count }, (_, at) => ({ owner, hash: hashText(`${owner.key} ${at}`) }));
  });
  points.sort((a, b) => a.hash - b.hash || (a.owner.key < b.owner.key ? -1 : 1));
  const owners: BalancedAddress[] = [];
  let next = 0;
  for (let slot = 0; slot < slots; slot++) {
    const start = (slot / slots) * HASHES;
    while (next < points.length && points[next]!.hash < start) next++;
    owners.push(points[next < points.length ? next : 0]!.owner);
  }
  return owners;
}
