/** The Prometheus text exposition format, version 0.0.4: families by name, samples by label values. Pure. */
import type { MetricDeclarations, MetricTotals } from './metric-totals.ts';

export interface Sample {
  /** Label names and values in order. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Appended to the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export function renderFamilies(families: readonly Family[]): string {
  return families
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(renderFamily)
    .join('');
}

/** Families of declared plugin metrics that have been counted at least once. */
export function familiesOf(declarations: MetricDeclarations, totals: MetricTotals): Family[] {
  return Object.entries(declarations).flatMap(([name, { type, help, labels, buckets = [] }]) => {
    const samples =
      type === 'counter'
        ? sorted(totals.counters(name)).map(([key, value]) => ({ labels: labelled(labels, key), value }))
        : sorted(totals.histograms(name)).flatMap(([key, series]) =>
            histogramSamples(labelled(labels, key), buckets, series.counts, series.sum),
          );
    return samples.length === 0 ? [] : [{ name, type, help, samples }];
  });
}

function renderFamily({ name, type, help, samples }: Family): string {
  const lines = samples.map(
    ({ labels, value, suffix = '' }) => `${name}${suffix}${renderLabels(labels)} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function histogramSamples(
  labels: Readonly<Record<string, string>>,
  buckets: readonly number[],
  counts: readonly number[],
  sum: number,
): Sample[] {
  let total = 0;
  const bounds = [...buckets.map(String), '+Inf'];
  const samples: Sample[] = bounds.map((le, index) => {
    total += counts[index] ?? 0;
    return { labels: { ...labels, le }, value: total, suffix: '_bucket' };
  });
  samples.push({ labels, value: total, suffix: '_count' }, { labels, value: sum, suffix: '_sum' });
  return samples;
}

function labelled(names: readonly string[], key: string): Readonly<Record<string, string>> {
  const values = key.split('\0');
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

function sorted<Value>(series: ReadonlyMap<string, Value>): [string, Value][] {
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1));
}
