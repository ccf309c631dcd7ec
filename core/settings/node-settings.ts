/** The node itself: its workers, its log, its way out. */
import { availableParallelism } from 'node:os';
import { fraction, listOf, oneOf, uuid, wholeNumber, workerCount } from './setting-kind.ts';
import { defaulted, optional } from './setting-row.ts';

export const NODE_SETTINGS = {
  workers: defaulted({
    group: 'Node',
    name: 'workers',
    kong: 'nginx_worker_processes',
    kind: workerCount(availableParallelism),
    default: 'auto',
    description: 'Worker threads that serve the proxy. `auto` is one for each core.',
  }),
  logLevel: defaulted({
    group: 'Node',
    name: 'log_level',
    kind: oneOf('debug', 'info', 'notice', 'warn', 'error', 'crit'),
    default: 'notice',
    description: 'The least important lines that are logged.',
  }),
  tracingInstrumentations: defaulted({
    group: 'Node',
    name: 'tracing_instrumentations',
    kind: listOf(
      'all',
      'request',
      'db_query',
      'dns_query',
      'router',
      'http_client',
      'balancer',
      'plugin_rewrite',
      'plugin_access',
      'plugin_header_filter',
    ),
    default: 'off',
    description:
      'Spans that are recorded for the plugin `opentelemetry`; `request` is part of each choice. With `off` nothing is recorded or exported, and trace headers are passed on as not sampled. There is nothing to record yet for `db_query`, `http_client` and `plugin_rewrite`.',
  }),
  tracingSamplingRate: defaulted({
    group: 'Node',
    name: 'tracing_sampling_rate',
    kind: fraction,
    default: '0.01',
    description:
      'Share of traces that are exported, where neither the caller nor the `sampling_rate` of the plugin decides.',
  }),
  nodeId: optional({
    group: 'Node',
    name: 'node_id',
    kind: uuid,
    absent: 'made once and kept in `data_dir`',
    description: 'Identity of this node in the Admin API and in metrics.',
  }),
  shutdownTimeoutSeconds: defaulted({
    group: 'Node',
    name: 'shutdown_timeout',
    kong: false,
    kind: wholeNumber(0, 86_400),
    default: '30',
    description: 'Seconds that requests in flight are given to end when the node stops.',
  }),
} as const;
