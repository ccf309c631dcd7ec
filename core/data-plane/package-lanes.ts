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
import { AbsentLane } from '../sandbox/absent-lane.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import type { PackageLane } from '../sandbox/package-lane.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { type ActivePackage, divideTraffic, type PackageVersion, versionsOf } from './active-package.ts';
import { createStackExplainer, scriptOf } from './explain-stack.ts';
import { LaneCounts } from './lane-counts.ts';
import { LaneTable } from './lane-table.ts';
import type { SandboxMeasurements } from './messages.ts';
import { type JudgeEvents, PackageJudge } from './package-judge.ts';
import { describeSlot, type PackageSlot } from './package-slot.ts';

/** One part of the traffic and the lanes of published packages it runs through, by number. */
export interface LaneShare {
  readonly upToPercent: number;
  readonly lanes: ReadonlySet<number>;
}

/** What is done about a package that was published. */
export interface Stranger extends PackageVersion {
  onIncident(reason: PhaseFailureReason, detail: string): void;
  /** It has taken a configuration, or has not: why. Only where that is not known at once. */
  onConfigured(problem: string | undefined): void;
}

export interface PackageLanesDependencies extends JudgeEvents {
  /** Throws when the bundle does not load in time. */
  createLane(bundle: PackageBundle, loadTimeoutMs: number, stranger?: Stranger): PackageLane;
}

/** Why packages are loaded: before there is traffic, because an operator has changed them, or once more. */
export type Occasion = 'start' | 'change' | 'retry';

const NOT_IN_PLAN: PackageManifest = { protocolVersion: PROTOCOL_VERSION, plugins: [] };
/** What a lane was given last, records to log above all, gets this long to be done with. */
const LINGER_MS = 1000;
/** And the queues of its plugins so long. */
const QUEUE_LINGER_MS = 10_000;
const BUNDLED_LOAD_MS = 5000;
/** Before there is traffic. */
const PATIENT_LOAD_MS = 3000;
/** In the worker itself all its requests wait meanwhile, and a package that gets there has shown elsewhere that it loads. */
const SWIFT_LOAD_MS = 1000;

export class PackageLanes {
  readonly #dependencies: PackageLanesDependencies;
  readonly #table = new LaneTable();
  /** By number, as the request path reads it; a hole where there was one. */
  readonly byNumber: readonly PhaseLane[] = this.#table.byNumber;
  readonly #judge: PackageJudge;
  readonly #counts = new LaneCounts();

  /** Throws when a bundled package does not load. */
  constructor(bundles: readonly PackageBundle[], dependencies: PackageLanesDependencies) {
    this.#dependencies = dependencies;
    this.#judge = new PackageJudge(this.#table, dependencies);
    for (const bundle of bundles) {
      const lane = dependencies.createLane(bundle, BUNDLED_LOAD_MS);
      const { manifest } = lane;
      this.#table.add(lane, { name: bundle.name, artefact: undefined, isolation: 'thread', lane, manifest });
    }
  }

  get bundledManifests(): readonly PackageManifest[] {
    return this.#table
      .slots()
      .flatMap(({ artefact, manifest }) => (artefact === undefined ? [manifest] : []));
  }

  /** Manifests of everything that is loaded. */
  get manifests(): readonly PackageManifest[] {
    return this.#table.slots().map(({ manifest }) => manifest);
  }

  /** Loads a version, without any traffic until it is arranged. Rejects with a message for its author. */
  async stage(version: PackageVersion): Promise<void> {
    await this.#load(version, 'change');
  }

  /**
   * Loads what is to be arranged. At a `change` it rejects when a version does not load, except for one that is missing
   * already: it must not keep others from being changed. Otherwise something stands in for what does not load, and
   * gives requests what `onError` of the package says.
   */
  async prepare(packages: readonly ActivePackage[], occasion: Occasion): Promise<void> {
    const versions = packages.filter(({ isSuspended }) => isSuspended !== true).flatMap(versionsOf);
    const wanted = versions.filter(
      (version) => occasion !== 'change' || this.#numberOfAbsent(version.artefact, false) === -1,
    );
    const loads = await Promise.allSettled(wanted.map((version) => this.#load(version, occasion)));
    for (const [at, load] of loads.entries()) {
      if (load.status === 'fulfilled') continue;
      if (occasion === 'change') throw load.reason;
      const { artefact } = wanted[at] as PackageVersion;
      this.#dependencies.onUnavailable(artefact, load.reason);
    }
  }

  /** What the traffic is to run through, as it was prepared. Nothing changes for plans there are. */
  arrange(packages: readonly ActivePackage[]): readonly LaneShare[] {
    const numbers = new Map<string, number>();
    for (const each of packages) {
      for (const version of versionsOf(each)) {
        numbers.set(version.artefact.digest, this.#numberFor(version, each.isSuspended === true));
      }
    }
    const used = new Set(numbers.values());
    for (const [number, slot] of this.#table.entries()) {
      if (slot.artefact === undefined) continue;
      slot.isWanted = used.has(number);
      const { name } = slot;
      slot.onError = packages.find((each) => each.name === name)?.onError ?? slot.onError;
      if (slot.lane === undefined) this.#table.byNumber[number] = this.#standInFor(slot);
    }
    return divideTraffic(packages).map(({ upToPercent, artefacts }) => ({
      upToPercent,
      lanes: new Set(artefacts.map(({ digest }) => numbers.get(digest) as number)),
    }));
  }

  /** Some of what is in use and may run could not be loaded. */
  get isIncomplete(): boolean {
    return this.#table
      .slots()
      .some(({ lane, isWanted, isSuspended }) => lane === undefined && isWanted && !isSuspended);
  }

  /** Manifests by lane number, as a plan for this share needs them: those it does not run through offer nothing. */
  manifestsOf({ lanes }: LaneShare): readonly PackageManifest[] {
    return this.#table.map((slot, number) =>
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
    give: (lane: PackageLane, number: number, artefact: PluginArtefact | undefined) => void,
  ): void {
    for (const [number, slot] of this.#table.entries()) {
      if (slot.artefact !== undefined && !lanes.has(number)) continue;
      slot.generations.add(generation);
      if (slot.lane === undefined || this.#judge.isHopeless(slot)) continue;
      try {
        give(slot.lane, number, slot.artefact);
        // Elsewhere it takes a while until that is known.
        if (slot.isolation === 'thread') slot.refusals = 0;
      } catch (error) {
        if (slot.artefact === undefined) throw error;
        this.#judge.noteRefusal(number, slot, slot.artefact, error);
      }
    }
  }

  /** No request is left that started with this plan, and none will come. */
  retire(generation: number): void {
    for (const slot of this.#table.slots()) {
      if (slot.generations.delete(generation)) slot.lane?.dropGeneration(generation);
    }
    this.sweep();
  }

  /** Lets go what is not wanted and named by no plan. */
  sweep(): void {
    for (const [number, slot] of this.#table.entries()) {
      if (slot.artefact === undefined || slot.isWanted || slot.generations.size > 0) continue;
      this.#table.remove(number);
      if (slot.lane !== undefined) this.#dispose(slot, slot.lane);
    }
  }

  invalidate(invalidations: readonly Invalidation[]): void {
    for (const { lane } of this.#table.slots()) {
      for (const invalidation of invalidations) lane?.invalidate(invalidation);
      lane?.flush();
    }
  }

  /** Call when there are no requests and will be none. */
  dispose(): void {
    for (const { lane } of this.#table.slots()) lane?.dispose();
  }

  /** Has all queues hand over what they hold. Resolves once they have, or the time is up. */
  async drain(timeoutMs: number): Promise<void> {
    const drained = this.#table
      .slots()
      .map(({ lane }) => lane && new Promise<void>((resolve) => lane.drain(timeoutMs, resolve)));
    await Promise.all(drained);
  }

  /** What has been counted since this was asked last. */
  collectMetrics(): Promise<readonly MetricDeltas[]> {
    return this.#counts.collect(this.#table.slots());
  }

  measure(): readonly SandboxMeasurements[] {
    const nowMs = Date.now();
    return this.#table.slots().map((slot) => describeSlot(slot, nowMs));
  }

  /** To be called once a second or so, with what published packages may use of a CPU. */
  chargeCpu(msPerSecond: number): void {
    this.#judge.chargeCpu(msPerSecond);
  }

  /** A stack as the authors of published packages know its lines. */
  explainStack(stack: string): string {
    for (const slot of this.#table.slots()) {
      const { artefact } = slot;
      if (artefact === undefined || !stack.includes(`${scriptOf(artefact)}.js:`)) continue;
      slot.explainStack ??= createStackExplainer(artefact);
      return slot.explainStack(stack);
    }
    return stack;
  }

  /** Resolves when there is a lane for it that runs. */
  async #load(version: PackageVersion, occasion: Occasion): Promise<void> {
    let number = this.#numberOf(version);
    if (number === -1) number = this.#open(version, occasion);
    const slot = this.#table.slot(number) as PackageSlot;
    slot.isWanted = true;
    try {
      await slot.lane?.ready;
    } catch (error) {
      if (this.#table.slot(number) === slot) this.#close(number, slot);
      throw error;
    }
  }

  #open(version: PackageVersion, occasion: Occasion): number {
    const { artefact, isolation } = version;
    const { name, code, manifest } = artefact;
    let number = -1;
    const isWaitedFor = isolation === 'thread' && occasion !== 'start';
    const lane = this.#dependencies.createLane(
      { name: scriptOf(artefact), code },
      isWaitedFor ? SWIFT_LOAD_MS : PATIENT_LOAD_MS,
      {
        ...version,
        onIncident: (reason, detail) => this.#judge.noteIncident(number, reason, detail),
        onConfigured: (problem) => this.#judge.noteConfigured(number, problem),
      },
    );
    // What it says of itself decides what it may reach: it must be what the operator has been shown.
    if (JSON.stringify(lane.manifest) !== JSON.stringify(manifest)) {
      lane.dispose();
      throw new Error(`'${name}' does not describe itself as in its manifest`);
    }
    number = this.#table.add(lane, { name, artefact, isolation, lane, manifest });
    return number;
  }

  #numberFor(version: PackageVersion, isSuspended: boolean): number {
    const loaded = isSuspended ? -1 : this.#numberOf(version);
    if (loaded !== -1) return loaded;
    const absent = this.#numberOfAbsent(version.artefact, isSuspended);
    return absent === -1 ? this.#standIn(version, isSuspended) : absent;
  }

  #numberOf({ artefact: { digest }, isolation }: PackageVersion): number {
    return this.#table.find(
      (slot) => slot.lane !== undefined && slot.artefact?.digest === digest && slot.isolation === isolation,
    );
  }

  /** Of what stands in for the version since it was arranged last. */
  #numberOfAbsent({ digest }: PluginArtefact, isSuspended: boolean): number {
    return this.#table.find(
      (slot) =>
        slot.lane === undefined &&
        slot.artefact?.digest === digest &&
        slot.isWanted &&
        slot.isSuspended === isSuspended,
    );
  }

  #standIn({ artefact, isolation }: PackageVersion, isSuspended: boolean): number {
    const { name, manifest } = artefact;
    const standIn = this.#standInFor({ name, onError: 'fail' });
    const number = this.#table.add(standIn, { name, artefact, isolation, lane: undefined, manifest });
    (this.#table.slot(number) as PackageSlot).isSuspended = isSuspended;
    return number;
  }

  #standInFor({ name, onError }: Pick<PackageSlot, 'name' | 'onError'>): AbsentLane {
    return new AbsentLane(onError, `the package '${name}' cannot be run`);
  }

  #close(number: number, { lane }: PackageSlot): void {
    this.#table.remove(number);
    lane?.dispose();
  }

  #dispose(slot: PackageSlot, lane: PackageLane): void {
    const end = async () => {
      await this.#counts.keep(slot);
      lane.dispose();
    };
    lane.drain(QUEUE_LINGER_MS, () => setTimeout(end, LINGER_MS).unref());
  }
}
