/** What the Admin and Status APIs ask of the node they run on. */
import type { UpstreamHealth } from '../health/describe-health.ts';
import type { AnnounceLogLevel } from './log-level.ts';
import type { NodeStatus } from './node-status.ts';
import type { PackageOfPlugin } from './overrides/plugin-sandbox.ts';
import type { SandboxStatus } from './sandbox-endpoint.ts';

/** Things the node keeps in memory by key, as `/cache` shows them. */
export interface NodeCache {
  /** Undefined when nothing is cached under that key. */
  get(key: string): Promise<unknown>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
}

export interface NodeInformation {
  /** A UUID, stable for the life of the node. */
  readonly id: string;
  readonly hostname: string;
  /** Our own version, e.g. `0.1.0`. */
  readonly version: string;
  /** Every setting by its Kong name with its effective value, secrets masked. */
  configuration(): Readonly<Record<string, unknown>>;
  pids(): { readonly master: number; readonly workers: readonly number[] };
  status(): Promise<NodeStatus>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** Absent: nothing is known of what packages cost. */
  sandboxes?(): Promise<readonly SandboxStatus[]>;
  /** What the node knows of an upstream's health; undefined while it does not keep it. Absent: it keeps none. */
  upstreamHealth?(upstreamId: string): Promise<UpstreamHealth | undefined>;
  /** Absent: no packages can be published. */
  packageOf?(plugin: string): PackageOfPlugin | undefined;
  /** Absent: nothing is cached. */
  readonly cache?: NodeCache;
  /** Absent: a change of the log level stays in this process. */
  readonly announceLogLevel?: AnnounceLogLevel;
}
