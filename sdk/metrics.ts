/** `kong.metrics`: what the plugin declared in its definition, added up over all workers of the node. No crossing. */

/** Phases: all. An undeclared name or a wrong number of labels throws a TypeError. */
export interface MetricWriter {
  /** Adds to a counter. `labels` in the order of the declaration. */
  increment(name: string, labels: readonly string[], by?: number): void;
  /** Records a value in a histogram. */
  observe(name: string, labels: readonly string[], value: number): void;
  /** One series of a counter, to be kept by plugins that count in it with every request: it need not be found again. */
  counter(name: string, labels: readonly string[]): CounterSeries;
  /** The same for a histogram. */
  histogram(name: string, labels: readonly string[]): HistogramSeries;
}

/** Stays valid as long as the plugin is loaded. */
export interface CounterSeries {
  /** By 1 unless it is said. */
  increment(by?: number): void;
}

/** Stays valid as long as the plugin is loaded. */
export interface HistogramSeries {
  /** Records one value. */
  observe(value: number): void;
}
