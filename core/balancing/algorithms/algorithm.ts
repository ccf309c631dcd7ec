/** What all ways of choosing have in common. */
import type { BalancedAddress } from '../address.ts';

/**
 * Chooses among the addresses it was made for. `hash` is that of the request's input, for algorithms that look at it;
 * `tried` those that have failed this request: they come last, if at all.
 */
export interface Algorithm {
  /** Undefined without an address that is healthy and has a weight. */
  pick(hash: number, tried: readonly BalancedAddress[]): BalancedAddress | undefined;
}

export interface AlgorithmOptions {
  /** Points of a ring. */
  readonly slots: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** A number that is one more with every call by any worker of the node; it begins anew after 2^32. */
  readonly nextTurn: () => number;
  /** Of a monotonic clock. */
  readonly nowMs: () => number;
}

/** `addresses` are all there are; which of them are healthy is as of now: it is made anew when that changes. */
export type MakeAlgorithm = (addresses: readonly BalancedAddress[], options: AlgorithmOptions) => Algorithm;

export function listUsable(addresses: readonly BalancedAddress[]): readonly BalancedAddress[] {
  return addresses.filter(({ weight, health }) => weight > 0 && health.isHealthy);
}
