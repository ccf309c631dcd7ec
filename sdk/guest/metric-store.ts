/** Metrics added up inside the isolate since the host last collected them. */
import type { MetricDeclaration } from '../protocol/manifest.ts';
import type { MetricDeltas } from '../protocol/metric-deltas.ts';

/** Over this many label combinations of one metric between two collections, new ones are dropped and counted. */
const MAX_SERIES = 20_000;

interface HistogramSeries {
  readonly counts: number[];
  sum: number;
}

interface Metric {
  readonly declaration: MetricDeclaration;
  readonly counters: Map<string, number>;
  readonly histograms: Map<string, HistogramSeries>;
}

const metrics = new Map<string, Metric>();
let dropped = 0;

export function declareMetric(name: string, declaration: MetricDeclaration): void {
  metrics.set(name, { declaration, counters: new Map(), histograms: new Map() });
}

export function incrementCounter(name: string, labels: readonly string[], by: number): void {
  const metric = findMetric(name, 'counter', labels);
  const key = labels.join('\0');
  const value = metric.counters.get(key);
  if (value === undefined && metric.counters.size >= MAX_SERIES) dropped++;
  else metric.counters.set(key, (value ?? 0) + by);
}

export function observeValue(name: string, labels: readonly string[], value: number): void {
  const metric = findMetric(name, 'histogram', labels);
  const buckets = metric.declaration.buckets ?? [];
  const key = labels.join('\0');
  let series = metric.histograms.get(key);
  if (series === undefined) {
    if (metric.histograms.size >= MAX_SERIES) {
      dropped++;
      return;
    }
    series = { counts: new Array<number>(buckets.length + 1).fill(0), sum: 0 };
    metric.histograms.set(key, series);
  }
  let bucket = 0;
  while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
  series.counts[bucket] = (series.counts[bucket] as number) + 1;
  series.sum += value;
}

export function collectMetrics(): MetricDeltas {
  const counters: Record<string, (readonly [string, number])[]> = {};
  const histograms: Record<string, (readonly [string, number[], number])[]> = {};
  for (const [name, metric] of metrics) {
    if (metric.counters.size > 0) counters[name] = [...metric.counters];
    if (metric.histograms.size > 0) {
      histograms[name] = [...metric.histograms].map(
        ([labels, { counts, sum }]) => [labels, counts, sum] as const,
      );
    }
    metric.counters.clear();
    metric.histograms.clear();
  }
  const deltas = { counters, histograms, dropped };
  dropped = 0;
  return deltas;
}

function findMetric(name: string, type: MetricDeclaration['type'], labels: readonly string[]): Metric {
  const metric = metrics.get(name);
  if (metric === undefined || metric.declaration.type !== type) {
    throw new TypeError(`'${name}' is not a declared ${type}`);
  }
  if (labels.length !== metric.declaration.labels.length) {
    throw new TypeError(`'${name}' has ${metric.declaration.labels.length} labels, not ${labels.length}`);
  }
  return metric;
}
