/** prometheus (also `metrics`): counts finished requests. Contract/plugins.md section 3. */
import { definePlugin, type LogKong, type MatchedRoute, s } from '@tollgate/sdk';
import { RouteSeries } from './route-series.ts';

const SERIES = ['service', 'route', 'workspace'] as const;
const UPSTREAM_BUCKETS_MS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const GATEWAY_BUCKETS_MS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000];

const off = (description: string) => s.boolean({ required: true, default: false, description });

export default definePlugin({
  name: 'prometheus',
  aliases: ['metrics'],
  version: '0.1.0',
  priority: 13,
  logRecord: 'summary',
  schema: s.config({
    per_consumer: off('Fills the label `consumer` of requests and bytes, which is empty otherwise.'),
    status_code_metrics: off(
      '`kong_http_requests_total` by service, route, `code` and `source`: `service`, or `kong` where the gateway or a plugin answered.',
    ),
    ai_metrics: off('Accepted; without effect in this version.'),
    latency_metrics: off(
      'Histograms in ms: `kong_request_latency_ms` in all, of that `kong_upstream_latency_ms` for the service and `kong_kong_latency_ms` for the gateway and its plugins.',
    ),
    bandwidth_metrics: off('`kong_bandwidth_bytes` by `direction`: `ingress` and `egress`.'),
    upstream_health_metrics: off(
      '`kong_upstream_target_health` by `upstream`, `target`, `address` and `state`, for the whole node wherever it is set.',
    ),
  }),
  metrics: {
    kong_http_requests_total: {
      type: 'counter',
      help: 'Requests by service, route, status code, source and consumer',
      labels: ['service', 'route', 'code', 'source', 'workspace', 'consumer'],
    },
    kong_kong_latency_ms: {
      type: 'histogram',
      help: 'Milliseconds a request spent in the gateway and its plugins',
      labels: SERIES,
      buckets: GATEWAY_BUCKETS_MS,
    },
    kong_upstream_latency_ms: {
      type: 'histogram',
      help: 'Milliseconds from asking the upstream to its response head',
      labels: SERIES,
      buckets: UPSTREAM_BUCKETS_MS,
    },
    kong_request_latency_ms: {
      type: 'histogram',
      help: 'Milliseconds from the first byte received to the last one sent',
      labels: SERIES,
      buckets: UPSTREAM_BUCKETS_MS,
    },
    kong_bandwidth_bytes: {
      type: 'counter',
      help: 'Bytes received from (ingress) and sent to (egress) clients',
      labels: ['service', 'route', 'direction', 'workspace', 'consumer'],
    },
  },

  log(kong, config) {
    const route = kong.router.getRoute();
    if (route === undefined) return;
    const consumer = config.per_consumer ? (kong.client.getConsumer()?.username ?? '') : '';
    seriesOf(kong, route).count(kong, config, consumer);
  },
});

/** A route is one object for as long as its configuration is valid. */
const knownSeries = new WeakMap<object, RouteSeries>();

function seriesOf(kong: LogKong, route: MatchedRoute): RouteSeries {
  let series = knownSeries.get(route);
  if (series === undefined) {
    const service = kong.router.getService();
    series = new RouteSeries(kong.metrics, [service?.name ?? service?.host ?? '', route.name ?? route.id]);
    knownSeries.set(route, series);
  }
  return series;
}
