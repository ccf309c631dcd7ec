/** Guest → host: what the metrics of a package have grown by since they were collected last. */
import type { PhaseName } from './manifest.ts';

/** What one collection hands over: increments since the last. Label values are joined by NUL. */
export interface MetricDeltas {
  readonly counters: Readonly<Record<string, readonly (readonly [labels: string, increment: number])[]>>;
  /** Counts per bucket (not cumulative), the last one for +Inf. */
  readonly histograms: Readonly<
    Record<string, readonly (readonly [labels: string, counts: readonly number[], sum: number])[]>
  >;
  /** Values dropped because there were too many series. */
  readonly dropped: number;
  /** Of the crossings that were timed. */
  readonly usage?: readonly PhaseUsage[];
}

/** Milliseconds that the handlers of a plugin took in a phase. */
export type PhaseUsage = readonly [plugin: string, phase: PhaseName, ms: number];
