/** What a worker keeps of one version of a package while it is loaded, or while something stands in for it. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { SandboxError } from '../admin/sandbox-endpoint.ts';
import type { OnError } from '../sandbox/absent-lane.ts';
import type { Isolation, LaneStats, PackageLane } from '../sandbox/package-lane.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { CpuBudget } from './cpu-budget.ts';
import { CpuDivision } from './divide-cpu.ts';
import type { SandboxMeasurements } from './messages.ts';
import { Strikes } from './strikes.ts';

export interface PackageSlot {
  readonly name: string;
  /** Undefined of bundled packages, which stay. */
  readonly artefact: PluginArtefact | undefined;
  readonly isolation: Isolation;
  /** Undefined when it could not be loaded. */
  readonly lane: PackageLane | undefined;
  readonly manifest: PackageManifest;
  /** Numbers of the plans that name it and have requests or may get some. */
  readonly generations: Set<number>;
  readonly strikes: Strikes;
  readonly cpu: CpuDivision;
  readonly budget: CpuBudget;
  isWanted: boolean;
  onError: OnError;
  isQuarantined: boolean;
  isSuspended: boolean;
  /** How often in a row it could not take its configuration. */
  refusals: number;
  /** It is no longer asked what it has counted. */
  isMute: boolean;
  lastError?: SandboxError;
  /** Made when it is needed first. */
  explainStack?: (stack: string) => string;
}

const NO_STATS: LaneStats = {
  crossings: 0,
  timeouts: 0,
  rebuilds: 0,
  cpuSeconds: 0,
  heapBytes: 0,
  queuedEntries: 0,
  droppedEntries: 0,
};

export function createSlot(
  content: Pick<PackageSlot, 'name' | 'artefact' | 'isolation' | 'lane' | 'manifest'>,
): PackageSlot {
  return {
    ...content,
    generations: new Set(),
    strikes: new Strikes(),
    cpu: new CpuDivision(),
    budget: new CpuBudget(),
    isWanted: true,
    onError: 'fail',
    isQuarantined: false,
    isSuspended: false,
    refusals: 0,
    isMute: false,
  };
}

export function describeSlot(slot: PackageSlot, nowMs: number): SandboxMeasurements {
  const { name, artefact, isolation, lane, strikes } = slot;
  return {
    package: name,
    version: artefact?.version ?? '',
    digest: artefact?.digest ?? '',
    isolation,
    state: stateOf(slot),
    strikes: strikes.count(nowMs),
    ...(slot.lastError && { lastError: slot.lastError }),
    ...(lane?.stats() ?? NO_STATS),
  };
}

function stateOf({ lane, isSuspended, isQuarantined }: PackageSlot): SandboxMeasurements['state'] {
  if (lane === undefined) return isSuspended ? 'suspended' : 'unavailable';
  return isQuarantined ? 'quarantined' : 'serving';
}

const MAX_MESSAGE_LENGTH = 500;

/** The message may be the guest's own. */
export function noteError(slot: PackageSlot, reason: string, message: string, nowMs: number): void {
  slot.lastError = { reason, message: message.slice(0, MAX_MESSAGE_LENGTH), at: Math.floor(nowMs / 1000) };
}
