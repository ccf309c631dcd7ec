/** `/sandbox`: what each package of plugins costs each worker, and whether it is let run. Not part of Kong's API. */
import { answerJson, type Endpoint } from './admin-exchange.ts';

export interface SandboxError {
  /** Such as `timeout`, `memory` or `deadline`. */
  readonly reason: string;
  readonly message: string;
  /** In unix seconds. */
  readonly at: number;
}

/** One package's isolate in one worker. Counts begin with the isolate's lane. */
export interface SandboxStatus {
  readonly worker: number;
  readonly package: string;
  /** '' of the package that comes with the gateway; so is `digest`. */
  readonly version: string;
  readonly digest: string;
  /** `process`: it runs in one of its own, behind the worker. */
  readonly isolation: 'thread' | 'process';
  /** `unavailable`: it does not load. */
  readonly state: 'serving' | 'quarantined' | 'suspended' | 'unavailable';
  /** Convictions within the last seconds. */
  readonly strikes: number;
  /** What it was stopped for last; absent when nothing was held against it. */
  readonly lastError?: SandboxError;
  readonly crossings: number;
  readonly timeouts: number;
  readonly rebuilds: number;
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  /** Of the package's process, where it has one that runs. */
  readonly pid?: number;
  readonly rssBytes?: number;
  /** Entries in queues now, and entries dropped from them. */
  readonly queuedEntries: number;
  readonly droppedEntries: number;
}

export function sandboxEndpoint(measure: () => Promise<readonly SandboxStatus[]>): Endpoint {
  return {
    template: '/sandbox',
    methods: {
      GET: async () => answerJson(200, { data: (await measure()).map(describeSandbox), next: null }),
    },
  };
}

function describeSandbox({
  cpuSeconds,
  heapBytes,
  rssBytes,
  pid,
  lastError,
  queuedEntries,
  droppedEntries,
  ...others
}: SandboxStatus) {
  return {
    ...others,
    cpu_seconds: cpuSeconds,
    heap_bytes: heapBytes,
    queued_entries: queuedEntries,
    dropped_entries: droppedEntries,
    last_error: lastError ?? null,
    process: pid === undefined ? null : { pid, rss_bytes: rssBytes ?? 0 },
  };
}
