/**
 * What a worker and the process of a package say to each other: frames as they cross into isolates, in batches behind
 * their length. Both ends are ours, but what the process says a stranger may have written.
 */
import { GUEST_FRAMES, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import type { IsolateLimits } from '../sandbox/isolate-limits.ts';
import type { LaneStats } from '../sandbox/package-lane.ts';

/** The process finds its end of the wire behind its standard streams. */
export const WIRE_FD = 3;

/** Worker → process. Frames for the guest itself are those of HOST_FRAMES. */
export const WORKER_FRAMES = {
  ...HOST_FRAMES,
  /** The first one. JSON of `ProcessBoot`. */
  boot: 'B',
  /** `id` is the generation; payload: encodeConfiguration. */
  configure: 'K',
  /** Answered by `measured` with the same number. */
  measure: 'M',
  /** `id` 1: queues and timers stand still; 0: they go on. */
  rest: 'U',
  /** Queues hand over what they hold within so many ms. Answered by `drained` with the same number. */
  drain: 'J',
  /** Answered by `pong` with the same number. */
  ping: 'P',
} as const;

/** Process → worker. Results, traces and log lines of calls are those of GUEST_FRAMES. */
export const PROCESS_FRAMES = {
  ...GUEST_FRAMES,
  /** The package is loaded. The manifest as the guest describes it. */
  ready: 'Y',
  /** It is not, and the process ends. Why. */
  unloadable: 'Z',
  /** A call failed: `id`, and as payload reason and detail, parted by a line feed. */
  failed: 'N',
  /** A limit was hit: reason and detail. */
  incident: 'I',
  /** A configuration was taken, or was not: `id` is its generation; why not, '' where it was. */
  configured: 'K',
  /** JSON of `ProcessMeasurements`. */
  measured: 'M',
  drained: 'J',
  pong: 'O',
} as const;

export interface ProcessBoot {
  readonly bundle: PackageBundle;
  readonly limits: IsolateLimits;
}

export interface ProcessMeasurements {
  /** JSON of MetricDeltas; absent where the guest cannot be asked. */
  readonly metrics?: string | undefined;
  readonly stats: LaneStats;
}

/** A host call on its way to the worker: how often its call was run again, and what the guest wrote. */
export function encodeForwardedCall(retries: number, payload: string): string {
  return `${retries}\n${payload}`;
}

export function decodeForwardedCall(text: string): { readonly retries: number; readonly payload: string } {
  const lineEnd = text.indexOf('\n');
  return { retries: Number(text.slice(0, lineEnd)), payload: text.slice(lineEnd + 1) };
}

/** What is not well-formed is left out. Throws SyntaxError on what is not JSON. */
export function decodeMeasurements(text: string): {
  readonly metrics: string | undefined;
  readonly stats: Partial<Record<keyof LaneStats, unknown>>;
} {
  const given = JSON.parse(text) as Partial<Record<keyof ProcessMeasurements, unknown>> | null;
  const stats = given?.stats;
  return {
    metrics: typeof given?.metrics === 'string' ? given.metrics : undefined,
    stats: typeof stats === 'object' && stats !== null ? stats : {},
  };
}
