/**
 * The lanes of a worker: those of the bundled packages, and those of published ones, which come and go while traffic
 * flows. Plans name lanes by number. A lane is let go when no plan names it any more; until then its number is nobody
 * else's.
 */
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas } from '../../sdk/protocol/metric-deltas.ts';
import { PROTOCOL_VERSION } from '../../sdk/protocol/version.ts';
import type { PhaseLane } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { AbsentLane, type OnError } from '../sandbox/absent-lane.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import { decodeMetricDeltas } from '../sandbox/decode-metric-deltas.ts';
import type { IsolateLane, LaneStats } from '../sandbox/isolate-lane.ts';
import { createStackMapper } from '../sandbox/map-stack.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { type ActivePackage, divideTraffic } from './active-package.ts';
import type { SandboxMeasurements } from './messages.ts';
import { Strikes } from './strikes.ts';

/** One part of the traffic and the lanes of published packages it runs through, by number. */
export interface LaneShare {
  readonly upToPercent: number;
  readonly lanes: ReadonlySet<number>;
}

export interface PackageLanesDependencies {
  /** Throws when the bundle does not load. With `onIncident` it is a stranger's. */
  createLane(bundle: PackageBundle, onIncident?: (reason: PhaseFailureReason) => void): IsolateLane;
  /** A published package cannot be loaded though it could be before. */
  onUnavailable(artefact: PluginArtefact, error: unknown): void;
  /** A published package has been found guilty too often, and does not run for so long. */
  onQuarantine(artefact: PluginArtefact, forMs: number): void;
}

interface Slot {
  readonly name: string;
  /** Undefined of bundled packages, which stay. */
  readonly artefact: PluginArtefact | undefined;
  /** Undefined when it could not be loaded. */
  readonly lane: IsolateLane | undefined;
  readonly manifest: PackageManifest;
  /** Numbers of the plans that name it and have requests or may get some. */
  readonly generations: Set<number>;
  readonly strikes: Strikes;
  isWanted: boolean;
  onError: OnError;
  isQuarantined: boolean;
  /** Made when it is needed first. */
  mapStack?: (stack: string) => string;
}

const NO_STATS: LaneStats = { crossings: 0, timeouts: 0, rebuilds: 0, cpuSeconds: 0, heapBytes: 0 };
const NOT_IN_PLAN: PackageManifest = { protocolVersion: PROTOCOL_VERSION, plugins: [] };
/** What a lane was given last, records to log above all, gets this long to be done with. */
const LINGER_MS = 1000;
/** After too many strikes a package does not run for so long. */
const QUARANTINE_MS = 10_000;
const MAX_SOURCE_MAP_LENGTH = 1_000_000;
/** Counted by lanes that are gone, until somebody asks for measurements. */
const MAX_LEFTOVERS = 1000;

export class PackageLanes {
  /** By number, as the request path reads it; a hole where there was one. */
  readonly byNumber: PhaseLane[] = [];
  readonly #dependencies: PackageLanesDependencies;
  readonly #slots: (Slot | undefined)[] = [];
  #leftovers: MetricDeltas[] = [];

  /** Throws when a bundled package does not load. */
  constructor(bundles: readonly PackageBundle[], dependencies: PackageLanesDependencies) {
    this.#dependencies = dependencies;
    for (const bundle of bundles) {
      const lane = dependencies.createLane(bundle);
      this.#add(lane, { name: bundle.name, artefact: undefined, lane, manifest: lane.manifest });
    }
  }

  get bundledManifests(): readonly PackageManifest[] {
    return this.#live().flatMap(({ artefact, manifest }) => (artefact === undefined ? [manifest] : []));
  }

  /** Manifests of everything that is loaded. */
  get manifests(): readonly PackageManifest[] {
    return this.#live().map(({ manifest }) => manifest);
  }

  /** Loads a version, without any traffic until it is arranged. Throws with a message for its author. */
  stage(artefact: PluginArtefact): void {
    const found = this.#find(artefact.digest);
    if (found === undefined) this.#load(artefact);
    else found.isWanted = true;
  }

  /**
   * What the traffic is to run through. Throws when a version does not load; with `onLoadFailure: 'absent'` requests
   * that need it get what `onError` of the package says. Nothing changes for plans there are.
   */
  arrange(packages: readonly ActivePackage[], onLoadFailure: 'throw' | 'absent'): readonly LaneShare[] {
    const modeOf = new Map(
      packages.flatMap(({ current, previous, onError }) =>
        [current, previous].map((artefact) => [artefact?.digest, onError] as const),
      ),
    );
    const shares = divideTraffic(packages);
    const digests = new Set(shares.flatMap(({ artefacts }) => artefacts.map(({ digest }) => digest)));
    const numberOf = (artefact: PluginArtefact): number => {
      const at = this.#slots.findIndex((slot) => slot?.artefact?.digest === artefact.digest);
      if (at !== -1) return at;
      if (onLoadFailure === 'throw') return this.#load(artefact);
      return this.#loadOrStandIn(artefact, modeOf.get(artefact.digest) ?? 'fail');
    };
    const arranged = shares.map(({ upToPercent, artefacts }) => ({
      upToPercent,
      lanes: new Set(artefacts.map(numberOf)),
    }));
    for (const slot of this.#live()) {
      if (slot.artefact === undefined) continue;
      slot.isWanted = digests.has(slot.artefact.digest);
      slot.onError = modeOf.get(slot.artefact.digest) ?? slot.onError;
    }
    return arranged;
  }

  /** Manifests by lane number, as a plan for this share needs them: those it does not run through offer nothing. */
  manifestsOf({ lanes }: LaneShare): readonly PackageManifest[] {
    return Array.from(this.#slots, (slot, number) =>
      slot !== undefined && (slot.artefact === undefined || lanes.has(number)) ? slot.manifest : NOT_IN_PLAN,
    );
  }

  /** Calls `give` with every lane of the share that can take a configuration, which is then held for `generation`. */
  configure(
    { lanes }: LaneShare,
    generation: number,
    give: (lane: IsolateLane, number: number, artefact: PluginArtefact | undefined) => void,
  ): void {
    for (const [number, slot] of this.#slots.entries()) {
      if (slot === undefined || (slot.artefact !== undefined && !lanes.has(number))) continue;
      slot.generations.add(generation);
      if (slot.lane !== undefined) give(slot.lane, number, slot.artefact);
    }
  }

  /** No request is left that started with this plan, and none will come. */
  retire(generation: number): void {
    for (const slot of this.#live()) {
      if (slot.generations.delete(generation)) slot.lane?.dropGeneration(generation);
    }
    this.sweep();
  }

  /** Lets go what is not wanted and named by no plan. */
  sweep(): void {
    for (const [number, slot] of this.#slots.entries()) {
      if (slot === undefined || slot.artefact === undefined) continue;
      if (slot.isWanted || slot.generations.size > 0) continue;
      this.#slots[number] = undefined;
      delete this.byNumber[number];
      if (slot.lane !== undefined) this.#dispose(slot, slot.lane);
    }
  }

  invalidate(invalidations: readonly Invalidation[]): void {
    for (const { lane } of this.#live()) {
      for (const invalidation of invalidations) lane?.invalidate(invalidation);
      lane?.flush();
    }
  }

  flush(): void {
    for (const { lane } of this.#live()) lane?.flush();
  }

  /** What has been counted since this was asked last. */
  collectMetrics(): readonly MetricDeltas[] {
    const collected = this.#leftovers;
    this.#leftovers = [];
    for (const slot of this.#live()) collected.push(...metricsOf(slot));
    return collected;
  }

  measure(): readonly SandboxMeasurements[] {
    const nowMs = Date.now();
    return this.#live().map(({ name, artefact, lane, strikes, isQuarantined }) => ({
      package: name,
      version: artefact?.version ?? '',
      digest: artefact?.digest ?? '',
      state: lane === undefined ? 'unavailable' : isQuarantined ? 'quarantined' : 'serving',
      strikes: strikes.count(nowMs),
      ...(lane?.stats() ?? NO_STATS),
    }));
  }

  /** A stack as the authors of published packages know its lines. */
  explainStack(stack: string): string {
    for (const slot of this.#live()) {
      const { artefact } = slot;
      if (artefact === undefined || !stack.includes(`${scriptOf(artefact)}.js:`)) continue;
      slot.mapStack ??= createMapper(artefact);
      return slot.mapStack(stack);
    }
    return stack;
  }

  #find(digest: string): Slot | undefined {
    return this.#live().find(({ artefact }) => artefact?.digest === digest);
  }

  #live(): readonly Slot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }

  #load(artefact: PluginArtefact): number {
    const { name, code, manifest } = artefact;
    let number = -1;
    const lane = this.#dependencies.createLane({ name: scriptOf(artefact), code }, (reason) =>
      this.#noteIncident(number, reason),
    );
    // What it says of itself decides what it may reach: it must be what the operator has been shown.
    if (JSON.stringify(lane.manifest) !== JSON.stringify(manifest)) {
      lane.dispose();
      throw new Error(`'${name}' does not describe itself as in its manifest`);
    }
    number = this.#add(lane, { name, artefact, lane, manifest });
    return number;
  }

  #loadOrStandIn(artefact: PluginArtefact, onError: OnError): number {
    try {
      return this.#load(artefact);
    } catch (error) {
      this.#dependencies.onUnavailable(artefact, error);
      const { name, manifest } = artefact;
      const standIn = new AbsentLane(onError, `the package '${name}' cannot be loaded`);
      return this.#add(standIn, { name, artefact, lane: undefined, manifest });
    }
  }

  #add(lane: PhaseLane, slot: Pick<Slot, 'name' | 'artefact' | 'lane' | 'manifest'>): number {
    const hole = this.#slots.indexOf(undefined);
    const number = hole === -1 ? this.#slots.length : hole;
    this.#slots[number] = {
      ...slot,
      generations: new Set(),
      strikes: new Strikes(),
      isWanted: true,
      onError: 'fail',
      isQuarantined: false,
    };
    this.byNumber[number] = lane;
    return number;
  }

  #noteIncident(number: number, reason: PhaseFailureReason): void {
    const slot = this.#slots[number];
    if (slot?.artefact === undefined || slot.lane === undefined || slot.isQuarantined) return;
    // Waiting too long for an answer from elsewhere is no crime; keeping the worker busy is.
    if (reason === 'deadline') return;
    if (!slot.strikes.note(Date.now()) && reason !== 'unavailable') return;
    slot.isQuarantined = true;
    const detail = `the package '${slot.name}' is in quarantine`;
    this.byNumber[number] = new AbsentLane(slot.onError, detail, slot.lane);
    this.#dependencies.onQuarantine(slot.artefact, QUARANTINE_MS);
    setTimeout(() => this.#release(number, slot, slot.lane), QUARANTINE_MS).unref();
  }

  #release(number: number, slot: Slot, lane: IsolateLane | undefined): void {
    if (this.#slots[number] !== slot || lane === undefined) return;
    slot.isQuarantined = false;
    this.byNumber[number] = lane;
  }

  #dispose(slot: Slot, lane: IsolateLane): void {
    lane.flush();
    setTimeout(() => {
      if (this.#leftovers.length < MAX_LEFTOVERS) this.#leftovers.push(...metricsOf(slot));
      lane.dispose();
    }, LINGER_MS).unref();
  }
}

/** What stacks call it: versions of a package may run side by side. */
function scriptOf({ name, version }: PluginArtefact): string {
  return `${name}@${version}`;
}

/** The map is the author's too: one that is no map, or that would keep the worker busy, explains nothing. */
function createMapper(artefact: PluginArtefact): (stack: string) => string {
  const { sourceMap } = artefact;
  const unmapped = (stack: string) => stack;
  if (sourceMap === '' || sourceMap.length > MAX_SOURCE_MAP_LENGTH) return unmapped;
  try {
    const map = createStackMapper({ name: scriptOf(artefact), sourceMap });
    return (stack) => {
      try {
        return map(stack);
      } catch {
        return stack;
      }
    };
  } catch {
    return unmapped;
  }
}

function metricsOf({ lane, artefact, manifest }: Slot): readonly MetricDeltas[] {
  const json = lane?.collectMetrics();
  if (json === undefined) return [];
  if (artefact === undefined) return [JSON.parse(json) as MetricDeltas];
  const deltas = decodeMetricDeltas(json, manifest);
  return deltas === undefined ? [] : [deltas];
}
