/**
 * Everything the control process, the data-plane process and its workers say to each other. Plain data, cloned on
 * the way; every message that expects an answer carries a number that the answer repeats.
 *
 * The data-plane process only relays: what it is told it tells each worker, and it answers once all have.
 */

import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas } from '../../sdk/protocol/metric-deltas.ts';
import type { SandboxStatus } from '../admin/sandbox-endpoint.ts';
import type { UpstreamAddresses } from '../balancing/balancer.ts';
import type { ConfigurationUpdate } from '../config/known-configuration.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { CounterTake } from '../counters/cluster-counters.ts';
import type { UpstreamHealth } from '../health/describe-health.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import type { Settings } from '../settings/load-settings.ts';
import type { KongLogLevel } from '../telemetry/logger.ts';
import type { ActivePackage, PackageVersion } from './active-package.ts';

/** What a worker needs before it can serve. */
export interface Boot {
  readonly settings: Settings;
  readonly nodeId: string;
  readonly version: string;
  /** In PEM; undefined where no listener speaks TLS. */
  readonly ownCertificate: { readonly cert: string; readonly key: string } | undefined;
  readonly bundles: readonly PackageBundle[];
  /** Published packages in use. */
  readonly packages: readonly ActivePackage[];
  readonly snapshot: Snapshot;
}

/** Control process → data-plane process → every worker. */
export type Command =
  /** Replaces the configuration, rows in caches included. Answered by `done`. */
  | { readonly kind: 'snapshot'; readonly number: number; readonly snapshot: Snapshot }
  /** What has changed since. Answered by `done`. */
  | { readonly kind: 'update'; readonly number: number; readonly update: ConfigurationUpdate }
  /** Loads a version of a package beside those in use, until the next `packages`. Answered by `done`. */
  | { readonly kind: 'stage'; readonly number: number; readonly version: PackageVersion }
  /** Replaces the published packages in use. Answered by `done`. */
  | { readonly kind: 'packages'; readonly number: number; readonly packages: readonly ActivePackage[] }
  /** Answered by `done` with measurements. */
  | { readonly kind: 'measure'; readonly number: number }
  /** `level` is Kong's name and holds for so many seconds, then that of the settings again. Answered by `done`. */
  | {
      readonly kind: 'log-level';
      readonly number: number;
      readonly level: KongLogLevel;
      readonly timeoutSeconds: number;
    }
  /** Stop accepting, finish what is under way, then end. */
  | { readonly kind: 'drain' };

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly boot: Boot;
  readonly index: number;
  /** Of all upstreams, as far as names have been looked up. */
  readonly addresses: readonly UpstreamAddresses[];
}

/** Data-plane process → worker. */
export type WorkerCommand =
  | Command
  | RowMessage
  | UsesMessage
  /** Where requests for these upstreams may go from now on. Not answered. */
  | { readonly kind: 'addresses'; readonly upstreams: readonly UpstreamAddresses[] };

/** Control process → data-plane process, which answers itself: by `done` with the health of this upstream, or of all. */
export interface HealthQuestion {
  readonly kind: 'describe-health';
  readonly number: number;
  readonly upstreamId: string | undefined;
}

/** Control process → data-plane process. */
export type ControlMessage =
  | { readonly kind: 'boot'; readonly boot: Boot }
  | Command
  | HealthQuestion
  | RowMessage
  | UsesMessage;

/** Answer to `find` or `list`, for one worker. */
export type RowMessage =
  | { readonly kind: 'found'; readonly worker: number; readonly number: number; readonly row: Row | null }
  | {
      readonly kind: 'listed';
      readonly worker: number;
      readonly number: number;
      readonly rows: readonly Row[];
    }
  | {
      readonly kind: 'find-failed';
      readonly worker: number;
      readonly number: number;
      readonly reason: string;
    };

export type Row = Readonly<Record<string, unknown>>;

/** A worker wants a row by a unique field. */
export interface FindMessage {
  readonly kind: 'find';
  readonly worker: number;
  readonly number: number;
  readonly entity: string;
  readonly field: string;
  readonly value: string;
}

/** A worker wants all rows that refer to a parent. Answered by `listed`. */
export interface ListMessage {
  readonly kind: 'list';
  readonly worker: number;
  readonly number: number;
  readonly entity: string;
  /** The reference, such as `consumer`. */
  readonly field: string;
  /** Id of the parent. */
  readonly value: string;
}

/** A worker counts in the gateway's database. */
export interface CountMessage {
  readonly kind: 'count';
  readonly worker: number;
  readonly number: number;
  readonly takes: readonly CounterTake[];
}

/** Answer to `count`, for one worker: for each call the use of its windows before it. */
export type UsesMessage =
  | {
      readonly kind: 'counted';
      readonly worker: number;
      readonly number: number;
      readonly uses: readonly (readonly number[])[];
    }
  | {
      readonly kind: 'count-failed';
      readonly worker: number;
      readonly number: number;
      readonly reason: string;
    };

/** Worker → data-plane process. */
export type WorkerMessage =
  /** Listening with the snapshot it was started with. */
  | { readonly kind: 'ready'; readonly packages: readonly PackageManifest[] }
  /** It cannot start; `reason` is for the operator. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done'; readonly number: number; readonly answer: WorkerAnswer }
  /** Once a second: its event loop runs. */
  | { readonly kind: 'alive' }
  /** V8 gave up in an isolate: the whole process should be replaced. */
  | { readonly kind: 'catastrophe'; readonly reason: string }
  | FindMessage
  | ListMessage
  | CountMessage;

export interface WorkerAnswer {
  readonly error?: string;
  readonly upstreams?: readonly UpstreamHealth[];
  readonly measurements?: WorkerMeasurements;
}

/** Data-plane process → control process. */
export type DataPlaneMessage =
  | { readonly kind: 'ready'; readonly packages: readonly PackageManifest[] }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Every worker alive has answered. */
  | { readonly kind: 'done'; readonly number: number; readonly answers: readonly WorkerAnswer[] }
  | FindMessage
  | ListMessage
  | CountMessage;

/** What a worker has counted since it was asked last (`deltas`) or holds now (the rest). */
export interface WorkerMeasurements {
  readonly worker: number;
  readonly deltas: readonly MetricDeltas[];
  readonly requestsTotal: number;
  readonly connections: { readonly accepted: number; readonly active: number; readonly writing: number };
  readonly heapUsedBytes: number;
  readonly snapshotVersion: number;
  /** The last change to the configuration that the worker serves. */
  readonly sequence: number;
  readonly sandboxes: readonly SandboxMeasurements[];
}

/** One package's isolate in the worker that tells. */
export type SandboxMeasurements = Omit<SandboxStatus, 'worker'>;
