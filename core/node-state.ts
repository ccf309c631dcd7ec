/**
 * What the node knows of itself: measurements of its workers, whether its database answers, and the `/status` and
 * `/metrics` made of them.
 */

import type { NodeStatus } from './admin/node-status.ts';
import type { SandboxStatus } from './admin/sandbox-endpoint.ts';
import type { NodeConfiguration } from './config/node-configuration.ts';
import type { PluginCatalog } from './config/plugin-catalog.ts';
import type { Snapshot } from './config/snapshot.ts';
import type { WorkerMeasurements } from './data-plane/messages.ts';
import type { DataPlane } from './data-plane/supervisor.ts';
import type { EntityStore } from './store/entity-store.ts';
import { MetricTotals } from './telemetry/metric-totals.ts';
import { nodeFamilies } from './telemetry/node-metrics.ts';
import { type Family, familiesOf, renderFamilies } from './telemetry/render-metrics.ts';
import { PLUGIN_CPU, sandboxFamilies } from './telemetry/sandbox-metrics.ts';
import { upstreamHealthFamilies } from './telemetry/upstream-health-metrics.ts';

export interface NodeStateDependencies {
  readonly nodeId: string;
  readonly version: string;
  readonly store: EntityStore;
  readonly dataPlane: DataPlane;
  readonly catalog: PluginCatalog;
  readonly configuration: Pick<NodeConfiguration, 'snapshot' | 'databaseProblem'>;
}

export interface NodeState {
  status(): Promise<NodeStatus>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** What each package costs each worker. */
  sandboxes(): Promise<readonly SandboxStatus[]>;
  /** Undefined when the node serves, otherwise why it does not. */
  ready(): Promise<string | undefined>;
}

export function createNodeState(dependencies: NodeStateDependencies): NodeState {
  const { store, dataPlane, catalog, configuration } = dependencies;
  const totals = new MetricTotals();

  const isDatabaseReachable = (): Promise<boolean> =>
    store.ping().then(
      () => true,
      () => false,
    );

  const measure = async (): Promise<Summary> => {
    const measured = await dataPlane.measure();
    for (const { deltas } of measured) for (const delta of deltas) totals.add(delta);
    return summarise(measured, dataPlane.pid ?? process.pid);
  };

  return {
    async status() {
      const [summary, reachable] = await Promise.all([measure(), isDatabaseReachable()]);
      const { accepted, active, writing } = summary.connections;
      return {
        workers: summary.workers,
        sharedMemory: {},
        server: {
          connections_accepted: accepted,
          connections_active: active,
          connections_handled: accepted,
          connections_reading: 0,
          connections_writing: writing,
          connections_waiting: Math.max(0, active - writing),
          total_requests: summary.requestsTotal,
        },
        database: { reachable },
        configuration: {
          version: configuration.snapshot.sequence,
          problem: configuration.databaseProblem,
          workers: summary.served,
        },
      };
    },

    async metrics() {
      const [summary, isReachable, upstreams] = await Promise.all([
        measure(),
        isDatabaseReachable(),
        wantsUpstreamHealth(configuration.snapshot) ? dataPlane.describeHealth() : [],
      ]);
      const { nodeId, version } = dependencies;
      const families = nodeFamilies({ nodeId, version, isDatabaseReachable: isReachable, ...summary });
      return renderFamilies([
        ...families,
        ...sandboxFamilies(summary.sandboxes),
        ...upstreamHealthFamilies(upstreams),
        ...familiesOf(PLUGIN_CPU, totals),
        ...pluginFamilies(catalog, listConfigured(configuration.snapshot), totals),
      ]);
    },

    sandboxes: async () => (await measure()).sandboxes,

    ready: () => Promise.resolve(dataPlane.isServing ? undefined : 'the data plane is starting'),
  };
}

/** Names of plugins with at least one enabled instance. */
function listConfigured({ plugins }: Snapshot): ReadonlySet<string> {
  return new Set(plugins.filter(({ enabled }) => enabled).map(({ name }) => name));
}

const METRICS_PLUGINS: ReadonlySet<string> = new Set(['prometheus', 'metrics']);

/** A switch of the prometheus plugin, which is for the whole node wherever it is set. */
function wantsUpstreamHealth({ plugins }: Snapshot): boolean {
  return plugins.some(
    ({ name, enabled, config }) =>
      enabled && METRICS_PLUGINS.has(name) && config['upstream_health_metrics'] === true,
  );
}

/** Counters of a plugin show while it is configured anywhere; they go on counting from where they were. */
function pluginFamilies(
  catalog: PluginCatalog,
  configured: ReadonlySet<string>,
  totals: MetricTotals,
): Family[] {
  const families: Family[] = [];
  for (const name of configured) families.push(...familiesOf(catalog.manifest(name)?.metrics ?? {}, totals));
  if (!configured.has('prometheus')) return families;
  const help = 'Values not counted because there were too many series';
  return [
    ...families,
    {
      name: 'kong_nginx_metric_errors_total',
      type: 'counter',
      help,
      samples: [{ labels: {}, value: totals.dropped }],
    },
  ];
}

interface Summary {
  readonly requestsTotal: number;
  readonly connections: { readonly accepted: number; readonly active: number; readonly writing: number };
  readonly workers: readonly { readonly pid: number; readonly heapBytes: number }[];
  /** The last change to the configuration that each worker serves. */
  readonly served: readonly { readonly worker: number; readonly version: number }[];
  readonly sandboxes: readonly SandboxStatus[];
}

function summarise(measured: readonly WorkerMeasurements[], pid: number): Summary {
  const connections = { accepted: 0, active: 0, writing: 0 };
  let requestsTotal = 0;
  for (const worker of measured) {
    requestsTotal += worker.requestsTotal;
    connections.accepted += worker.connections.accepted;
    connections.active += worker.connections.active;
    connections.writing += worker.connections.writing;
  }
  // Workers are threads of one process; Kong's label tells processes apart, so the worker's number is added to it.
  const workers = measured.map(({ heapUsedBytes }, index) => ({
    pid: pid + index,
    heapBytes: heapUsedBytes,
  }));
  const served = measured
    .map(({ worker, sequence }) => ({ worker, version: sequence }))
    .sort((a, b) => a.worker - b.worker);
  const sandboxes = measured
    .toSorted((a, b) => a.worker - b.worker)
    .flatMap(({ worker, sandboxes: each }) => each.map((sandbox) => ({ worker, ...sandbox })));
  return { requestsTotal, connections, workers, served, sandboxes };
}
