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
import { decodeMetricDeltas } from '../sandbox/decode-metric-deltas.ts';
import type { PackageLane } from '../sandbox/package-lane.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { type ActivePackage, divideTraffic, type PackageVersion, versionsOf } from './active-package.ts';
import { createStackExplainer, scriptOf } from './explain-stack.ts';
import type { SandboxMeasurements } from './messages.ts';
import { createSlot, describeSlot, noteError, type PackageSlot } from './package-slot.ts';

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

export interface PackageLanesDependencies {
  /** Throws when the bundle does not load in time. */
  createLane(bundle: PackageBundle, loadTimeoutMs: number, stranger?: Stranger): PackageLane;
  /** A published package cannot be loaded, or cannot take its configuration, though it could before. */
  onUnavailable(artefact: PluginArtefact, error: unknown): void;
  /** A published package uses more of a CPU than it may. */
  onOverBudget(artefact: PluginArtefact): void;
  /** A published package has been found guilty too often, and does not run for so long. */
  onQuarantine(artefact: PluginArtefact, forMs: number): void;
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
const MAX_REFUSALS = 3;
/** A package that takes longer to say what it has counted, and fails, is not asked again. */
const SLOW_COLLECTION_MS = 200;
/** Counted by lanes that are gone, until somebody asks for measurements. */
const MAX_LEFTOVERS = 1000;

export class PackageLanes {
  /** By number, as the request path reads it; a hole where there was one. */
  readonly byNumber: PhaseLane[] = [];
  readonly #dependencies: PackageLanesDependencies;
  readonly #slots: (PackageSlot | undefined)[] = [];
  #leftovers: MetricDeltas[] = [];

  /** Throws when a bundled package does not load. */
  constructor(bundles: readonly PackageBundle[], dependencies: PackageLanesDependencies) {
    this.#dependencies = dependencies;
    for (const bundle of bundles) {
      const lane = dependencies.createLane(bundle, BUNDLED_LOAD_MS);
      const { manifest } = lane;
      this.#add(lane, { name: bundle.name, artefact: undefined, isolation: 'thread', lane, manifest });
    }
  }

  get bundledManifests(): readonly PackageManifest[] {
    return this.#live().flatMap(({ artefact, manifest }) => (artefact === undefined ? [manifest] : []));
  }

  /** Manifests of everything that is loaded. */
  get manifests(): readonly PackageManifest[] {
    return this.#live().map(({ manifest }) => manifest);
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
    for (const [number, slot] of this.#slots.entries()) {
      if (slot?.artefact === undefined) continue;
      slot.isWanted = used.has(number);
      const { name } = slot;
      slot.onError = packages.find((each) => each.name === name)?.onError ?? slot.onError;
      if (slot.lane === undefined) this.byNumber[number] = this.#standInFor(slot);
    }
    return divideTraffic(packages).map(({ upToPercent, artefacts }) => ({
      upToPercent,
      lanes: new Set(artefacts.map(({ digest }) => numbers.get(digest) as number)),
    }));
  }

  /** Some of what is in use and may run could not be loaded. */
  get isIncomplete(): boolean {
    return this.#live().some(
      ({ lane, isWanted, isSuspended }) => lane === undefined && isWanted && !isSuspended,
    );
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
    give: (lane: PackageLane, number: number, artefact: PluginArtefact | undefined) => void,
  ): void {
    for (const [number, slot] of this.#slots.entries()) {
      if (slot === undefined || (slot.artefact !== undefined && !lanes.has(number))) continue;
      slot.generations.add(generation);
      if (slot.lane === undefined || slot.refusals >= MAX_REFUSALS) continue;
      try {
        give(slot.lane, number, slot.artefact);
        // Elsewhere it takes a while until that is known.
        if (slot.isolation === 'thread') slot.refusals = 0;
      } catch (error) {
        if (slot.artefact === undefined) throw error;
        this.#noteRefusal(number, slot, slot.artefact, error);
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

  /** Call when there are no requests and will be none. */
  dispose(): void {
    for (const { lane } of this.#live()) lane?.dispose();
  }

  /** Has all queues hand over what they hold. Resolves once they have, or the time is up. */
  async drain(timeoutMs: number): Promise<void> {
    const drained = this.#live().map(
      ({ lane }) => lane && new Promise<void>((resolve) => lane.drain(timeoutMs, resolve)),
    );
    await Promise.all(drained);
  }

  /** What has been counted since this was asked last. */
  async collectMetrics(): Promise<readonly MetricDeltas[]> {
    const collected = this.#leftovers;
    this.#leftovers = [];
    const found = await Promise.all(this.#live().map(metricsOf));
    return collected.concat(...found);
  }

  measure(): readonly SandboxMeasurements[] {
    const nowMs = Date.now();
    return this.#live().map((slot) => describeSlot(slot, nowMs));
  }

  /**
   * To be called once a second or so: a published package that uses more of a CPU than `msPerSecond` gets a strike, and in
   * a process of its own the CPU when nobody else wants it.
   */
  chargeCpu(msPerSecond: number): void {
    const nowMs = performance.now();
    for (const [number, slot] of this.#slots.entries()) {
      if (slot?.artefact === undefined || slot.lane === undefined) continue;
      const { cpuSeconds } = slot.lane.stats();
      if (!slot.budget.isExceeded(cpuSeconds, nowMs, msPerSecond)) continue;
      slot.lane.lowerPriority?.();
      this.#dependencies.onOverBudget(slot.artefact);
      this.#strike(number, slot, slot.artefact);
    }
  }

  /** A stack as the authors of published packages know its lines. */
  explainStack(stack: string): string {
    for (const slot of this.#live()) {
      const { artefact } = slot;
      if (artefact === undefined || !stack.includes(`${scriptOf(artefact)}.js:`)) continue;
      slot.explainStack ??= createStackExplainer(artefact);
      return slot.explainStack(stack);
    }
    return stack;
  }

  #live(): readonly PackageSlot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }

  /** Resolves when there is a lane for it that runs. */
  async #load(version: PackageVersion, occasion: Occasion): Promise<void> {
    let number = this.#numberOf(version);
    if (number === -1) number = this.#open(version, occasion);
    const slot = this.#slots[number] as PackageSlot;
    slot.isWanted = true;
    try {
      await slot.lane?.ready;
    } catch (error) {
      if (this.#slots[number] === slot) this.#close(number, slot);
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
        onIncident: (reason, detail) => this.#noteIncident(number, reason, detail),
        onConfigured: (problem) => this.#noteConfigured(number, problem),
      },
    );
    // What it says of itself decides what it may reach: it must be what the operator has been shown.
    if (JSON.stringify(lane.manifest) !== JSON.stringify(manifest)) {
      lane.dispose();
      throw new Error(`'${name}' does not describe itself as in its manifest`);
    }
    number = this.#add(lane, { name, artefact, isolation, lane, manifest });
    return number;
  }

  #numberFor(version: PackageVersion, isSuspended: boolean): number {
    const loaded = isSuspended ? -1 : this.#numberOf(version);
    if (loaded !== -1) return loaded;
    const absent = this.#numberOfAbsent(version.artefact, isSuspended);
    return absent === -1 ? this.#standIn(version, isSuspended) : absent;
  }

  #numberOf({ artefact: { digest }, isolation }: PackageVersion): number {
    return this.#slots.findIndex(
      (slot) => slot?.lane !== undefined && slot.artefact?.digest === digest && slot.isolation === isolation,
    );
  }

  /** Of what stands in for the version since it was arranged last. */
  #numberOfAbsent({ digest }: PluginArtefact, isSuspended: boolean): number {
    return this.#slots.findIndex(
      (slot) =>
        slot?.lane === undefined &&
        slot?.artefact?.digest === digest &&
        slot.isWanted &&
        slot.isSuspended === isSuspended,
    );
  }

  #standIn({ artefact, isolation }: PackageVersion, isSuspended: boolean): number {
    const { name, manifest } = artefact;
    const standIn = this.#standInFor({ name, onError: 'fail' });
    const number = this.#add(standIn, { name, artefact, isolation, lane: undefined, manifest });
    (this.#slots[number] as PackageSlot).isSuspended = isSuspended;
    return number;
  }

  #standInFor({ name, onError }: Pick<PackageSlot, 'name' | 'onError'>): AbsentLane {
    return new AbsentLane(onError, `the package '${name}' cannot be run`);
  }

  #add(lane: PhaseLane, content: Parameters<typeof createSlot>[0]): number {
    const hole = this.#slots.indexOf(undefined);
    const number = hole === -1 ? this.#slots.length : hole;
    this.#slots[number] = createSlot(content);
    this.byNumber[number] = lane;
    return number;
  }

  #close(number: number, { lane }: PackageSlot): void {
    this.#slots[number] = undefined;
    delete this.byNumber[number];
    lane?.dispose();
  }

  #noteConfigured(number: number, problem: string | undefined): void {
    const slot = this.#slots[number];
    if (slot?.artefact === undefined) return;
    if (problem === undefined) slot.refusals = 0;
    else this.#noteRefusal(number, slot, slot.artefact, new Error(problem));
  }

  #noteRefusal(number: number, slot: PackageSlot, artefact: PluginArtefact, error: unknown): void {
    this.#dependencies.onUnavailable(artefact, error);
    if (++slot.refusals >= MAX_REFUSALS) this.#shutOut(number, slot);
  }

  #noteIncident(number: number, reason: PhaseFailureReason, detail: string): void {
    const slot = this.#slots[number];
    if (slot?.artefact === undefined || slot.lane === undefined || slot.isQuarantined) return;
    noteError(slot, reason, detail, Date.now());
    // Waiting too long for an answer from elsewhere is no crime; keeping the worker busy is.
    if (reason === 'deadline') return;
    this.#strike(number, slot, slot.artefact, reason === 'unavailable');
  }

  #strike(number: number, slot: PackageSlot, artefact: PluginArtefact, isConviction = false): void {
    if (slot.isQuarantined) return;
    const { strikes } = slot;
    const forMs = isConviction ? strikes.convict(Date.now()) : strikes.note(Date.now());
    if (forMs === 0) return;
    this.#shutOut(number, slot);
    this.#dependencies.onQuarantine(artefact, forMs);
    setTimeout(() => this.#release(number, slot, slot.lane), forMs).unref();
  }

  #shutOut(number: number, slot: PackageSlot): void {
    slot.isQuarantined = true;
    slot.lane?.rest(true);
    const detail = `the package '${slot.name}' is in quarantine`;
    this.byNumber[number] = new AbsentLane(slot.onError, detail, slot.lane);
  }

  #release(number: number, slot: PackageSlot, lane: PackageLane | undefined): void {
    if (this.#slots[number] !== slot || lane === undefined || slot.refusals >= MAX_REFUSALS) return;
    slot.isQuarantined = false;
    lane.rest(false);
    this.byNumber[number] = lane;
  }

  #dispose(slot: PackageSlot, lane: PackageLane): void {
    const end = async () => {
      const deltas = await metricsOf(slot);
      if (this.#leftovers.length < MAX_LEFTOVERS) this.#leftovers.push(...deltas);
      lane.dispose();
    };
    lane.drain(QUEUE_LINGER_MS, () => setTimeout(end, LINGER_MS).unref());
  }
}

async function metricsOf(slot: PackageSlot): Promise<readonly MetricDeltas[]> {
  const { lane, artefact, manifest } = slot;
  if (lane === undefined || slot.isMute) return [];
  const fromMs = performance.now();
  const collecting = lane.collectMetrics();
  const blockedMs = performance.now() - fromMs;
  const json = await collecting;
  const deltas = json === undefined ? undefined : readDeltas(json, artefact, manifest);
  if (deltas === undefined) {
    slot.isMute = artefact !== undefined && blockedMs > SLOW_COLLECTION_MS;
    return [];
  }
  const cpu = slot.cpu.divide(deltas.usage ?? [], lane.stats().cpuSeconds);
  return cpu === undefined ? [deltas] : [deltas, cpu];
}

/** What our own packages say need not be looked at twice. */
function readDeltas(
  json: string,
  artefact: PluginArtefact | undefined,
  manifest: PackageManifest,
): MetricDeltas | undefined {
  return artefact === undefined ? (JSON.parse(json) as MetricDeltas) : decodeMetricDeltas(json, manifest);
}
