/**
 * CPU time of a package, divided among its plugins and their phases. How much it is the isolate or the kernel tells;
 * how it is divided, the crossings in which handlers were timed.
 */
import type { MetricDeltas, PhaseUsage } from '../../sdk/protocol/metric-deltas.ts';
import { PLUGIN_CPU_METRIC } from '../telemetry/sandbox-metrics.ts';

export class CpuDivision {
  /** Timed since the package was loaded, in ms, by labels. */
  readonly #timedMs = new Map<string, number>();
  #dividedSeconds = 0;

  /** What has been used since this was asked last; `cpuSeconds` since the package was loaded. */
  divide(usage: readonly PhaseUsage[], cpuSeconds: number): MetricDeltas | undefined {
    for (const [plugin, phase, ms] of usage) {
      const key = `${plugin}\0${phase}`;
      this.#timedMs.set(key, (this.#timedMs.get(key) ?? 0) + ms);
    }
    const spentSeconds = cpuSeconds - this.#dividedSeconds;
    const weights = usage.length > 0 ? usage.map(byLabels) : [...this.#timedMs];
    const totalMs = weights.reduce((sum, [, ms]) => sum + ms, 0);
    if (spentSeconds <= 0 || totalMs === 0) return undefined;
    this.#dividedSeconds = cpuSeconds;
    const shares = weights.map(([labels, ms]) => [labels, (spentSeconds * ms) / totalMs] as const);
    return { counters: { [PLUGIN_CPU_METRIC]: shares }, histograms: {}, dropped: 0 };
  }
}

function byLabels([plugin, phase, ms]: PhaseUsage): readonly [labels: string, ms: number] {
  return [`${plugin}\0${phase}`, ms];
}
