/** The series that requests of one route count in, found once and kept. */
import type { CounterSeries, HistogramSeries, LogKong, MetricWriter } from '@tollgate/sdk';

const WORKSPACE = 'default';
/** Consumers whose series are kept; anybody can be one of millions. */
const MAX_KNOWN_CONSUMERS = 1000;

/** Which families an instance of the plugin wants. */
export interface WantedFamilies {
  readonly status_code_metrics: boolean;
  readonly latency_metrics: boolean;
  readonly bandwidth_metrics: boolean;
}

export class RouteSeries {
  readonly #metrics: MetricWriter;
  readonly #names: readonly [service: string, route: string];
  #latencies: Latencies | undefined;
  readonly #consumers = new Map<string, ConsumerSeries>();

  constructor(metrics: MetricWriter, names: readonly [service: string, route: string]) {
    this.#metrics = metrics;
    this.#names = names;
  }

  /** `consumer`: empty where requests are not counted by consumer, or had none. */
  count({ record }: LogKong, wanted: WantedFamilies, consumer: string): void {
    if (wanted.latency_metrics) {
      this.#latencies ??= new Latencies(this.#metrics, [...this.#names, WORKSPACE]);
      this.#latencies.observe(record);
    }
    if (!wanted.status_code_metrics && !wanted.bandwidth_metrics) return;
    const series = this.#seriesOf(consumer);
    if (wanted.status_code_metrics) series.countStatus(record);
    if (wanted.bandwidth_metrics) series.countBytes(record);
  }

  #seriesOf(consumer: string): ConsumerSeries {
    let series = this.#consumers.get(consumer);
    if (series === undefined) {
      if (this.#consumers.size >= MAX_KNOWN_CONSUMERS) this.#consumers.clear();
      series = new ConsumerSeries(this.#metrics, this.#names, consumer);
      this.#consumers.set(consumer, series);
    }
    return series;
  }
}

class Latencies {
  readonly #gateway: HistogramSeries;
  readonly #upstream: HistogramSeries;
  readonly #request: HistogramSeries;

  constructor(metrics: MetricWriter, labels: readonly string[]) {
    this.#gateway = metrics.histogram('kong_kong_latency_ms', labels);
    this.#upstream = metrics.histogram('kong_upstream_latency_ms', labels);
    this.#request = metrics.histogram('kong_request_latency_ms', labels);
  }

  /** A latency below zero was not measured: nothing was sent upstream. */
  observe({ gatewayLatencyMs, upstreamLatencyMs, requestLatencyMs }: LogKong['record']): void {
    if (gatewayLatencyMs >= 0) this.#gateway.observe(gatewayLatencyMs);
    if (upstreamLatencyMs >= 0) this.#upstream.observe(upstreamLatencyMs);
    if (requestLatencyMs >= 0) this.#request.observe(requestLatencyMs);
  }
}

class ConsumerSeries {
  readonly #metrics: MetricWriter;
  readonly #names: readonly [service: string, route: string];
  readonly #consumer: string;
  /** By status, those the service gave apart from those the gateway gave. */
  readonly #serviceCodes = new Map<number, CounterSeries>();
  readonly #gatewayCodes = new Map<number, CounterSeries>();
  #ingress: CounterSeries | undefined;
  #egress: CounterSeries | undefined;

  constructor(metrics: MetricWriter, names: readonly [service: string, route: string], consumer: string) {
    this.#metrics = metrics;
    this.#names = names;
    this.#consumer = consumer;
  }

  countStatus({ status, source }: LogKong['record']): void {
    const isService = source === 'service';
    const codes = isService ? this.#serviceCodes : this.#gatewayCodes;
    let series = codes.get(status);
    if (series === undefined) {
      const labels = [String(status), isService ? 'service' : 'kong', WORKSPACE, this.#consumer];
      series = this.#metrics.counter('kong_http_requests_total', [...this.#names, ...labels]);
      codes.set(status, series);
    }
    series.increment();
  }

  countBytes({ bytesReceived, bytesSent }: LogKong['record']): void {
    this.#ingress ??= this.#bandwidth('ingress');
    this.#egress ??= this.#bandwidth('egress');
    this.#ingress.increment(bytesReceived);
    this.#egress.increment(bytesSent);
  }

  #bandwidth(direction: string): CounterSeries {
    const labels = [...this.#names, direction, WORKSPACE, this.#consumer];
    return this.#metrics.counter('kong_bandwidth_bytes', labels);
  }
}
