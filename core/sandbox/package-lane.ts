/** The lane of one package as a worker deals with it, wherever its isolate is. */
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import type { PhaseLane } from '../pipeline/phase-lane.ts';

/** Where a package runs: in the worker itself, or behind it in a process that holds nothing else. */
export type Isolation = 'thread' | 'process';

export interface LaneStats {
  readonly crossings: number;
  readonly timeouts: number;
  /** Isolates, and processes, made again after the one before had ended. */
  readonly rebuilds: number;
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  /** Entries of queues: held now, and dropped so far. */
  readonly queuedEntries: number;
  readonly droppedEntries: number;
  /** Of the package's process, where it has one. */
  readonly pid?: number;
  readonly rssBytes?: number;
}

export interface PackageLane extends PhaseLane {
  readonly manifest: PackageManifest;
  /** Resolves once the package is loaded, where that goes on elsewhere; rejects with the reason when it is not. */
  readonly ready?: Promise<void>;
  /** Hands a generation of configuration to the guest. May throw CrossingError when it cannot take it. */
  configure(configuration: GuestConfiguration): void;
  /** Call when no request that started with the generation is left. */
  dropGeneration(generation: number): void;
  invalidate(invalidation: Invalidation): void;
  /** Sends everything gathered so far across now. */
  flush(): void;
  /** Metrics since the last collection as JSON of MetricDeltas, with everything logged so far in them. */
  collectMetrics(): string | undefined | Promise<string | undefined>;
  /** Queues and timers stand still while the package may not run. */
  rest(isResting: boolean): void;
  /** Has queues hand over what they hold. `done` is called once they have, or the time is up. */
  drain(timeoutMs: number, done: () => void): void;
  stats(): LaneStats;
  /** It has used more than it may: from now on it shall run when nobody else wants to. Where that can be had. */
  lowerPriority?(): void;
  dispose(): void;
}
