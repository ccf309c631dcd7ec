/** What a guest's metrics have grown by, with the labels' names. */
import type { PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas } from '../../sdk/protocol/metric-deltas.ts';
import type { MetricGrowth } from '../../sdk/testing/kit.ts';

/** `json`: as a lane collects it; undefined when there is no isolate to ask. */
export function readMetrics({ metrics }: PluginManifest, json: string | undefined): readonly MetricGrowth[] {
  if (json === undefined) return [];
  const { counters, histograms } = JSON.parse(json) as MetricDeltas;
  const labelsOf = (name: string, joined: string): MetricGrowth['labels'] => {
    const values = joined.split('\0');
    return Object.fromEntries((metrics[name]?.labels ?? []).map((label, at) => [label, values[at] ?? '']));
  };
  return [
    ...Object.entries(counters).flatMap(([name, series]) =>
      series.map(([labels, value]) => ({ name, labels: labelsOf(name, labels), value })),
    ),
    ...Object.entries(histograms).flatMap(([name, series]) =>
      series.map(([labels, counts, value]) => ({
        name,
        labels: labelsOf(name, labels),
        value,
        count: counts.reduce((total, count) => total + count, 0),
      })),
    ),
  ];
}
