/** Metrics added up inside the isolate since the host last collected them. */
import type { CounterSeries, HistogramSeries, MetricWriter } from '../metrics.ts';
import type { MetricDeclaration } from '../protocol/manifest.ts';
import type { MetricDeltas } from '../protocol/metric-deltas.ts';

/** Over this many label combinations of one metric between two collections, new ones are dropped and counted. */
const MAX_SERIES = 20_000;

/** One declared metric, and those of its series that have grown since the last collection. */
class Metric<Series> {
  readonly declaration: MetricDeclaration;
  readonly series = new Map<string, Series>();
  grown: Series[] = [];

  constructor(declaration: MetricDeclaration) {
    this.declaration = declaration;
  }

  /** False when there are too many: what the series has grown by is lost. */
  note(series: Series): boolean {
    if (this.grown.length >= MAX_SERIES) {
      dropped++;
      return false;
    }
    this.grown.push(series);
    return true;
  }

  /** Forgets what was collected. A series that a plugin keeps comes back with its next growth. */
  takeGrown(): readonly Series[] {
    const { grown } = this;
    this.grown = [];
    this.series.clear();
    return grown;
  }
}

class Counter implements CounterSeries {
  readonly labels: string;
  readonly #metric: Metric<Counter>;
  #value = 0;
  #hasGrown = false;

  constructor(metric: Metric<Counter>, labels: string) {
    this.#metric = metric;
    this.labels = labels;
  }

  increment(by = 1): void {
    this.#hasGrown ||= this.#metric.note(this);
    if (this.#hasGrown) this.#value += by;
  }

  take(): readonly [string, number] {
    const value = this.#value;
    this.#value = 0;
    this.#hasGrown = false;
    return [this.labels, value];
  }
}

class Histogram implements HistogramSeries {
  readonly labels: string;
  readonly #metric: Metric<Histogram>;
  readonly #buckets: readonly number[];
  #counts: number[] | undefined;
  #sum = 0;

  constructor(metric: Metric<Histogram>, labels: string) {
    this.#metric = metric;
    this.#buckets = metric.declaration.buckets ?? [];
    this.labels = labels;
  }

  observe(value: number): void {
    const buckets = this.#buckets;
    if (this.#counts === undefined) {
      if (!this.#metric.note(this)) return;
      this.#counts = new Array<number>(buckets.length + 1).fill(0);
    }
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  take(): readonly [string, readonly number[], number] {
    const taken = [this.labels, this.#counts ?? [], this.#sum] as const;
    this.#counts = undefined;
    this.#sum = 0;
    return taken;
  }
}

const counters = new Map<string, Metric<Counter>>();
const histograms = new Map<string, Metric<Histogram>>();
let dropped = 0;

export function declareMetric(name: string, declaration: MetricDeclaration): void {
  if (declaration.type === 'counter') counters.set(name, new Metric(declaration));
  else histograms.set(name, new Metric(declaration));
}

export const metricWriter: MetricWriter = {
  increment: (name, labels, by) => findCounter(name, labels).increment(by),
  observe: (name, labels, value) => findHistogram(name, labels).observe(value),
  counter: findCounter,
  histogram: findHistogram,
};

function findCounter(name: string, labels: readonly string[]): Counter {
  const metric = findMetric(counters, 'counter', name, labels);
  return findSeries(metric, labels, (joined) => new Counter(metric, joined));
}

function findHistogram(name: string, labels: readonly string[]): Histogram {
  const metric = findMetric(histograms, 'histogram', name, labels);
  return findSeries(metric, labels, (joined) => new Histogram(metric, joined));
}

export function collectMetrics(): MetricDeltas {
  const deltas = {
    counters: collect(counters, (series) => series.take()),
    histograms: collect(histograms, (series) => series.take()),
    dropped,
  };
  dropped = 0;
  return deltas;
}

function collect<Series, Delta>(
  metrics: ReadonlyMap<string, Metric<Series>>,
  take: (series: Series) => Delta,
): Record<string, Delta[]> {
  const deltas: Record<string, Delta[]> = {};
  for (const [name, metric] of metrics) {
    const grown = metric.takeGrown();
    if (grown.length > 0) deltas[name] = grown.map(take);
  }
  return deltas;
}

function findMetric<Series>(
  metrics: ReadonlyMap<string, Metric<Series>>,
  type: MetricDeclaration['type'],
  name: string,
  labels: readonly string[],
): Metric<Series> {
  const metric = metrics.get(name);
  if (metric === undefined) throw new TypeError(`'${name}' is not a declared ${type}`);
  const wanted = metric.declaration.labels.length;
  if (labels.length !== wanted) throw new TypeError(`'${name}' has ${wanted} labels, not ${labels.length}`);
  return metric;
}

function findSeries<Series>(
  metric: Metric<Series>,
  labels: readonly string[],
  make: (labels: string) => Series,
): Series {
  const joined = labels.join('\0');
  let series = metric.series.get(joined);
  if (series === undefined) {
    series = make(joined);
    if (metric.series.size < MAX_SERIES) metric.series.set(joined, series);
  }
  return series;
}
