/** What published packages cost, as metrics. A node without any shows none. Pure. */
import type { Family } from './render-metrics.ts';

export interface MeasuredSandbox {
  readonly worker: number;
  readonly package: string;
  /** '' of the package that comes with the gateway, of which nothing is shown. */
  readonly digest: string;
  readonly state: string;
  readonly crossings: number;
  readonly timeouts: number;
  readonly rebuilds: number;
  readonly cpuSeconds: number;
  readonly heapBytes: number;
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
    'tollgate_sandbox_quarantined',
    'gauge',
    'Whether the package is kept from running: 1 or 0',
    ({ state }) => (state === 'serving' ? 0 : 1),
  ],
];

/** Versions that share the traffic of a worker are added up. */
export function sandboxFamilies(sandboxes: readonly MeasuredSandbox[]): Family[] {
  const published = sandboxes.filter(({ digest }) => digest !== '');
  if (published.length === 0) return [];
  const byPlace = Map.groupBy(published, (sandbox) => `${sandbox.worker} ${sandbox.package}`);
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
