/**
 * What plugins have counted, added up over all workers and over their restarts: workers hand over increments, and
 * the totals live where nothing of a worker's can end them.
 */

import type { MetricDeclaration } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas } from '../../sdk/protocol/metric-deltas.ts';

interface Histogram {
  readonly counts: number[];
  sum: number;
}

export class MetricTotals {
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #histograms = new Map<string, Map<string, Histogram>>();
  #dropped = 0;

  /** Values that were not counted because there were too many series. */
  get dropped(): number {
    return this.#dropped;
  }

  add({ counters, histograms, dropped }: MetricDeltas): void {
    this.#dropped += dropped;
    for (const [name, series] of Object.entries(counters)) {
      const totals = seriesOf(this.#counters, name);
      for (const [labels, increment] of series) totals.set(labels, (totals.get(labels) ?? 0) + increment);
    }
    for (const [name, series] of Object.entries(histograms)) {
      const totals = seriesOf(this.#histograms, name);
      for (const [labels, counts, sum] of series) addHistogram(totals, labels, counts, sum);
    }
  }

  counters(name: string): ReadonlyMap<string, number> {
    return this.#counters.get(name) ?? new Map();
  }

  histograms(
    name: string,
  ): ReadonlyMap<string, { readonly counts: readonly number[]; readonly sum: number }> {
    return this.#histograms.get(name) ?? new Map();
  }
}

function seriesOf<Series>(all: Map<string, Map<string, Series>>, name: string): Map<string, Series> {
  const known = all.get(name);
  if (known !== undefined) return known;
  const fresh = new Map<string, Series>();
  all.set(name, fresh);
  return fresh;
}

function addHistogram(
  totals: Map<string, Histogram>,
  labels: string,
  counts: readonly number[],
  sum: number,
): void {
  const total = totals.get(labels);
  if (total === undefined) {
    totals.set(labels, { counts: [...counts], sum });
    return;
  }
  for (const [bucket, count] of counts.entries()) total.counts[bucket] = (total.counts[bucket] ?? 0) + count;
  total.sum += sum;
}

export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;
