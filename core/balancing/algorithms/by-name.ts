/** By the name an upstream calls them. */
import type { MakeAlgorithm } from './algorithm.ts';
import { makeConsistentHashing } from './consistent-hashing.ts';
import { makeLatency } from './latency.ts';
import { makeLeastConnections } from './least-connections.ts';
import { makeRoundRobin } from './round-robin.ts';

export const ALGORITHMS = {
  'round-robin': makeRoundRobin,
  'least-connections': makeLeastConnections,
  'consistent-hashing': makeConsistentHashing,
  latency: makeLatency,
} as const satisfies Readonly<Record<string, MakeAlgorithm>>;

export type AlgorithmName = keyof typeof ALGORITHMS;
