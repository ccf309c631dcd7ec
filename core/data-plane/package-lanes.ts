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

/** What is done about a package that was published. */
export interface Stranger {
  readonly digest: string;
  onIncident(reason: PhaseFailureReason): void;
}

export interface PackageLanesDependencies {
  /** Throws when the bundle does not load in time. */
  createLane(bundle: PackageBundle, loadTimeoutMs: number, stranger?: Stranger): IsolateLane;
  /** A published package cannot be loaded, or cannot take its configuration, though it could before. */
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
  isSuspended: boolean;
  /** How often in a row it could not take its configuration. */
  refusals: number;
  /** It is no longer asked what it has counted. */
  isMute: boolean;
  /** Made when it is needed first. */
  mapStack?: (stack: string) => string;
}

const NO_STATS: LaneStats = { crossings: 0, timeouts: 0, rebuilds: 0, cpuSeconds: 0, heapBytes: 0 };
const NOT_IN_PLAN: PackageManifest = { protocolVersion: PROTOCOL_VERSION, plugins: [] };
/** What a lane was given last, records to log above all, gets this long to be done with. */
const LINGER_MS = 1000;
const BUNDLED_LOAD_MS = 5000;
/** Before there is traffic. */
const PATIENT_LOAD_MS = 3000;
/** All requests of the worker wait meanwhile, and a package that gets here has shown elsewhere that it loads. */
const SWIFT_LOAD_MS = 1000;
const MAX_REFUSALS = 3;
/** A package that takes longer to say what it has counted, and fails, is not asked again. */
const SLOW_COLLECTION_MS = 200;
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
      const lane = dependencies.createLane(bundle, BUNDLED_LOAD_MS);
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
    if (found?.lane === undefined) this.#load(artefact, SWIFT_LOAD_MS);
    else found.isWanted = true;
  }

  /**
   * What the traffic is to run through. Throws when a version does not load, except for one that is missing already: it
   * must not keep others from being changed. Nothing changes for plans there are.
   */
  arrange(packages: readonly ActivePackage[]): readonly LaneShare[] {
    return this.#arrange(packages, (artefact) => {
      const missing = this.#slots.findIndex(
        (slot) => slot?.isWanted && slot.lane === undefined && slot.artefact?.digest === artefact.digest,
      );
      return missing === -1 ? this.#load(artefact, SWIFT_LOAD_MS) : missing;
    });
  }

  /** The same without failing: requests that need what does not load get what `onError` of the package says. */
  arrangeWhatLoads(packages: readonly ActivePackage[], hasTraffic: boolean): readonly LaneShare[] {
    const timeoutMs = hasTraffic ? SWIFT_LOAD_MS : PATIENT_LOAD_MS;
    return this.#arrange(packages, (artefact) => this.#loadOrStandIn(artefact, timeoutMs));
  }

  /** Some of what is in use and may run could not be loaded. */
  get isIncomplete(): boolean {
    return this.#live().some(
      ({ lane, isWanted, isSuspended }) => lane === undefined && isWanted && !isSuspended,
    );
  }

  #arrange(
    packages: readonly ActivePackage[],
    load: (artefact: PluginArtefact) => number,
  ): readonly LaneShare[] {
    const numberOf = (artefact: PluginArtefact): number => {
      const { digest } = artefact;
      if (isSuspended(artefact)) return this.#standIn(artefact, true);
      const at = this.#slots.findIndex(
        (slot) => slot?.lane !== undefined && slot.artefact?.digest === digest,
      );
      return at === -1 ? load(artefact) : at;
    };
    const isSuspended = ({ name }: PluginArtefact) =>
      packages.some((each) => each.name === name && each.isSuspended === true);
    // A version may be in several shares, and is loaded once.
    const numbers = new Map<string, number>();
    const arranged = divideTraffic(packages).map(({ upToPercent, artefacts }) => {
      for (const artefact of artefacts) {
        if (!numbers.has(artefact.digest)) numbers.set(artefact.digest, numberOf(artefact));
      }
      return { upToPercent, lanes: new Set(artefacts.map(({ digest }) => numbers.get(digest) as number)) };
    });
    const used = new Set(numbers.values());
    for (const [number, slot] of this.#slots.entries()) {
      if (slot?.artefact === undefined) continue;
      slot.isWanted = used.has(number);
      const { name } = slot;
      slot.onError = packages.find((each) => each.name === name)?.onError ?? slot.onError;
      if (slot.lane === undefined) this.byNumber[number] = this.#standInFor(slot);
    }
    return arranged;
  }

  /** Manifests by lane number, as a plan for this share needs them: those it does not run through offer nothing. */
  manifestsOf({ lanes }: LaneShare): readonly PackageManifest[] {
    return Array.from(this.#slots, (slot, number) =>
      slot !== undefined && (slot.artefact === undefined || lanes.has(number)) ? slot.manifest : NOT_IN_PLAN,
    );
  }

  /**
   * Calls `give` with every lane of the share, which then holds a configuration for `generation`. What a published
   * package does with its own must not keep others from theirs: one that fails again and again is not asked any more.
   */
  configure(
    { lanes }: LaneShare,
    generation: number,
    give: (lane: IsolateLane, number: number, artefact: PluginArtefact | undefined) => void,
  ): void {
    for (const [number, slot] of this.#slots.entries()) {
      if (slot === undefined || (slot.artefact !== undefined && !lanes.has(number))) continue;
      slot.generations.add(generation);
      if (slot.lane === undefined || slot.refusals >= MAX_REFUSALS) continue;
      try {
        give(slot.lane, number, slot.artefact);
        slot.refusals = 0;
      } catch (error) {
        if (slot.artefact === undefined) throw error;
        this.#dependencies.onUnavailable(slot.artefact, error);
        if (++slot.refusals >= MAX_REFUSALS) this.#shutOut(number, slot);
      }
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
    return this.#live().map(({ name, artefact, lane, strikes, isQuarantined, isSuspended }) => ({
      package: name,
      version: artefact?.version ?? '',
      digest: artefact?.digest ?? '',
      state:
        lane === undefined
          ? isSuspended
            ? 'suspended'
            : 'unavailable'
          : isQuarantined
            ? 'quarantined'
            : 'serving',
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

  #load(artefact: PluginArtefact, timeoutMs: number): number {
    const { name, code, manifest } = artefact;
    let number = -1;
    const bundle = { name: scriptOf(artefact), code };
    const lane = this.#dependencies.createLane(bundle, timeoutMs, {
      digest: artefact.digest,
      onIncident: (reason) => this.#noteIncident(number, reason),
    });
    // What it says of itself decides what it may reach: it must be what the operator has been shown.
    if (JSON.stringify(lane.manifest) !== JSON.stringify(manifest)) {
      lane.dispose();
      throw new Error(`'${name}' does not describe itself as in its manifest`);
    }
    number = this.#add(lane, { name, artefact, lane, manifest });
    return number;
  }

  #loadOrStandIn(artefact: PluginArtefact, timeoutMs: number): number {
    try {
      return this.#load(artefact, timeoutMs);
    } catch (error) {
      this.#dependencies.onUnavailable(artefact, error);
      return this.#standIn(artefact, false);
    }
  }

  #standIn(artefact: PluginArtefact, isSuspended: boolean): number {
    const { name, manifest } = artefact;
    const slot = { name, artefact, lane: undefined, manifest };
    const number = this.#add(this.#standInFor({ name, onError: 'fail' }), slot);
    (this.#slots[number] as Slot).isSuspended = isSuspended;
    return number;
  }

  #standInFor({ name, onError }: Pick<Slot, 'name' | 'onError'>): AbsentLane {
    return new AbsentLane(onError, `the package '${name}' cannot be run`);
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
      isSuspended: false,
      refusals: 0,
      isMute: false,
    };
    this.byNumber[number] = lane;
    return number;
  }

  #noteIncident(number: number, reason: PhaseFailureReason): void {
    const slot = this.#slots[number];
    if (slot?.artefact === undefined || slot.lane === undefined || slot.isQuarantined) return;
    // Waiting too long for an answer from elsewhere is no crime; keeping the worker busy is.
    if (reason === 'deadline') return;
    const { strikes } = slot;
    const forMs = reason === 'unavailable' ? strikes.convict(Date.now()) : strikes.note(Date.now());
    if (forMs === 0) return;
    this.#shutOut(number, slot);
    this.#dependencies.onQuarantine(slot.artefact, forMs);
    setTimeout(() => this.#release(number, slot, slot.lane), forMs).unref();
  }

  #shutOut(number: number, slot: Slot): void {
    slot.isQuarantined = true;
    const detail = `the package '${slot.name}' is in quarantine`;
    this.byNumber[number] = new AbsentLane(slot.onError, detail, slot.lane);
  }

  #release(number: number, slot: Slot, lane: IsolateLane | undefined): void {
    if (this.#slots[number] !== slot || lane === undefined || slot.refusals >= MAX_REFUSALS) return;
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

function metricsOf(slot: Slot): readonly MetricDeltas[] {
  const { lane, artefact, manifest } = slot;
  if (lane === undefined || slot.isMute) return [];
  const fromMs = performance.now();
  const json = lane.collectMetrics();
  if (artefact === undefined) return json === undefined ? [] : [JSON.parse(json) as MetricDeltas];
  const deltas = json === undefined ? undefined : decodeMetricDeltas(json, manifest);
  if (deltas !== undefined) return [deltas];
  slot.isMute = performance.now() - fromMs > SLOW_COLLECTION_MS;
  return [];
}
