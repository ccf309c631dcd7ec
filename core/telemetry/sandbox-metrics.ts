/** What packages of plugins cost, as metrics. Pure. */
import type { MetricDeclarations } from './metric-totals.ts';
import type { Family } from './render-metrics.ts';

export interface MeasuredSandbox {
  readonly worker: number;
  readonly package: string;
  readonly state: string;
  readonly crossings: number;
  readonly timeouts: number;
  readonly rebuilds: number;
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  readonly queuedEntries: number;
  readonly droppedEntries: number;
}

const FAMILIES: readonly (readonly [
  name: string,
  type: Family['type'],
  help: string,
  read: (sandbox: MeasuredSandbox) => number,
])[] = [
  [
    'tollgate_sandbox_cpu_seconds_total',
    'counter',
    'CPU time of the package in a worker',
    ({ cpuSeconds }) => cpuSeconds,
  ],
  ['tollgate_sandbox_heap_bytes', 'gauge', 'Heap of the package in a worker', ({ heapBytes }) => heapBytes],
  [
    'tollgate_sandbox_crossings_total',
    'counter',
    'Entries into the isolate of the package',
    ({ crossings }) => crossings,
  ],
  [
    'tollgate_sandbox_timeouts_total',
    'counter',
    'Calls of the package stopped for the time they took',
    ({ timeouts }) => timeouts,
  ],
  [
    'tollgate_sandbox_rebuilds_total',
    'counter',
    'Isolates of the package made again after the one before had died',
    ({ rebuilds }) => rebuilds,
  ],
  [
    'tollgate_sandbox_queue_entries',
    'gauge',
    'Entries that plugins of the package have queued',
    ({ queuedEntries }) => queuedEntries,
  ],
  [
    'tollgate_sandbox_queue_entries_dropped_total',
    'counter',
    'Entries dropped from the queues of the package, because they were full or given up',
    ({ droppedEntries }) => droppedEntries,
  ],
  [
    'tollgate_sandbox_quarantined',
    'gauge',
    'Whether the package is kept from running: 1 or 0',
    ({ state }) => (state === 'serving' ? 0 : 1),
  ],
];

/** Where the CPU time of packages goes, divided by the handlers that are timed now and then. */
export const PLUGIN_CPU_METRIC = 'tollgate_plugin_cpu_seconds_total';

export const PLUGIN_CPU: MetricDeclarations = {
  [PLUGIN_CPU_METRIC]: {
    type: 'counter',
    help: 'CPU time of a plugin in a phase, estimated by crossings that are timed',
    labels: ['plugin', 'phase'],
  },
};

/** Versions that share the traffic of a worker are added up. */
export function sandboxFamilies(sandboxes: readonly MeasuredSandbox[]): Family[] {
  const byPlace = Map.groupBy(sandboxes, (sandbox) => `${sandbox.worker} ${sandbox.package}`);
  return FAMILIES.map(([name, type, help, read]) => ({
    name,
    type,
    help,
    samples: [...byPlace.values()].map((versions) => ({
      labels: { worker: String(versions[0]?.worker), package: String(versions[0]?.package) },
      value: versions.reduce((sum, sandbox) => sum + read(sandbox), 0),
    })),
  }));
}
