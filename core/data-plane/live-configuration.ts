/**
 * What a worker serves by: a snapshot, the packages in use, and the plans made of them. A change is built aside and swapped in;
 * requests under way end by the plan, and in the lanes, they have begun in.
 */
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import type { Balancers } from '../balancing/balancers.ts';
import { buildPlan, type RoutingPlan } from '../config/build-plan.ts';
import { EVERYTHING } from '../config/describe-changes.ts';
import type { ConfigurationUpdate } from '../config/known-configuration.ts';
import { applyDelta } from '../config/snapshot-delta.ts';
import type { PlanGeneration } from '../gateway/route-plan.ts';
import { resolveSecrets } from '../secrets/resolve-secrets.ts';
import type { GatewayLogger } from '../telemetry/logger.ts';
import type { PackageVersion } from './active-package.ts';
import { completeConfiguration } from './complete-configuration.ts';
import { drawPlan, type LivePlan } from './draw-plan.ts';
import type { ListenerTls } from './listener-tls.ts';
import type { Boot } from './messages.ts';
import type { LaneShare, PackageLanes } from './package-lanes.ts';

/** After that twice as long each time: requests wait while a package is loaded. */
const FIRST_RELOAD_MS = 5000;
const MAX_RELOAD_MS = 600_000;

export interface LiveConfigurationParts {
  readonly lanes: PackageLanes;
  readonly balancers: Balancers;
  readonly listenerTls: ListenerTls;
  readonly certificates: Parameters<typeof buildPlan>[4];
  readonly readSecret: Parameters<typeof resolveSecrets>[2];
  /** Exporting traces takes modules that a worker without traces does not load. */
  prepareTraces(): Promise<void>;
  readonly logger: GatewayLogger;
}

export class LiveConfiguration {
  readonly #parts: LiveConfigurationParts;
  #snapshot: Boot['snapshot'];
  #packages: Boot['packages'];
  /** By share of the traffic; nearly always there is one. */
  #plans: readonly LivePlan[] = [];
  /** That of the last share. */
  #plan: RoutingPlan | undefined;
  #shares: readonly LaneShare[] = [];
  #lastGeneration = 0;
  /** Changes of packages take a while, and each builds on the one before it. */
  #packageChanges: Promise<unknown> = Promise.resolve();
  /** Instances that lack a secret, and why, as they have been logged. */
  readonly #reportedProblems = new Set<string>();

  constructor({ snapshot, packages }: Pick<Boot, 'snapshot' | 'packages'>, parts: LiveConfigurationParts) {
    this.#snapshot = snapshot;
    this.#packages = packages;
    this.#parts = parts;
  }

  get snapshot(): Boot['snapshot'] {
    return this.#snapshot;
  }

  /** For one request. Not before `start`. */
  currentPlan(): RoutingPlan {
    return this.#plans.length === 1 ? (this.#plan as RoutingPlan) : drawPlan(this.#plans);
  }

  /** Resolves when there is a plan for everything that could be loaded. */
  async start(): Promise<void> {
    const { lanes } = this.#parts;
    await lanes.prepare(this.#packages, 'start');
    this.#serve(this.#snapshot, lanes.arrange(this.#packages));
    this.#loadMissing(FIRST_RELOAD_MS);
    await this.#prepareTraces();
  }

  /** Another snapshot, of which nothing is known. */
  replace(snapshot: Boot['snapshot']): void {
    this.#serve(snapshot, this.#shares);
    this.#parts.lanes.invalidate([EVERYTHING]);
  }

  /** A version that stays the same is one whose plan stays the same: only cached rows have changed. */
  update({ delta, invalidations }: ConfigurationUpdate): void {
    const next = applyDelta(this.#snapshot, delta);
    if (next.version === this.#snapshot.version) this.#snapshot = next;
    else {
      this.#serve(next, this.#shares);
      void this.#prepareTraces();
    }
    this.#parts.lanes.invalidate(invalidations);
  }

  /** Loads a version, without any traffic. Rejects with a message for its author. */
  stage(version: PackageVersion): Promise<void> {
    return this.#inTurn(() => this.#parts.lanes.stage(version));
  }

  /** Rejects, with nothing changed, when one cannot be loaded. */
  usePackages(packages: Boot['packages']): Promise<void> {
    return this.#inTurn(async () => {
      const { lanes } = this.#parts;
      try {
        await lanes.prepare(packages, 'change');
        this.#serve(this.#snapshot, lanes.arrange(packages));
        this.#packages = packages;
      } finally {
        lanes.sweep();
      }
      void this.#prepareTraces();
    });
  }

  /** No request is left that started with this plan, and none will come. */
  retire(generation: PlanGeneration): void {
    this.#parts.lanes.retire(generation.number);
  }

  async #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#packageChanges.then(change);
    this.#packageChanges = changed.catch(() => {});
    await changed;
  }

  /** What could not be loaded when the worker started is tried again from time to time. */
  #loadMissing(pauseMs: number): void {
    const { lanes } = this.#parts;
    if (!lanes.isIncomplete) return;
    setTimeout(async () => {
      await this.#inTurn(async () => {
        if (!lanes.isIncomplete) return;
        await lanes.prepare(this.#packages, 'retry');
        this.#serve(this.#snapshot, lanes.arrange(this.#packages));
        lanes.sweep();
      });
      this.#loadMissing(Math.min(pauseMs * 2, MAX_RELOAD_MS));
    }, pauseMs).unref();
  }

  /** Builds aside, swaps, and lets each old generation go once its last request has ended. */
  #serve(snapshot: Boot['snapshot'], shares: readonly LaneShare[]): void {
    const { balancers, listenerTls } = this.#parts;
    balancers.configure(snapshot.upstreams);
    listenerTls.configure(snapshot);
    const next = shares.map(
      (share): LivePlan => ({ upToPercent: share.upToPercent, plan: this.#build(snapshot, share) }),
    );
    const retired = this.#plans;
    this.#plans = next;
    this.#plan = (next[next.length - 1] as LivePlan).plan;
    this.#shares = shares;
    this.#snapshot = snapshot;
    for (const { plan: old } of retired) {
      old.generation.isCurrent = false;
      if (old.generation.inFlight === 0) this.retire(old.generation);
    }
  }

  #build(snapshot: Boot['snapshot'], share: LaneShare): RoutingPlan {
    const { lanes, balancers, certificates, readSecret, logger } = this.#parts;
    // Plans of one snapshot may differ: generations are numbered by the worker.
    const numbered = { ...snapshot, version: ++this.#lastGeneration };
    const built = buildPlan(
      numbered,
      lanes.manifestsOf(share),
      ({ id }, reason) => logger.error({ route: id, reason: String(reason) }, 'a route cannot be served'),
      (name) => balancers.find(name),
      certificates,
    );
    lanes.configure(share, this.#lastGeneration, (lane, number, artefact) => {
      const configuration = built.guests[number] as RoutingPlan['guests'][number];
      const complete =
        artefact === undefined ? configuration : completeConfiguration(configuration, artefact.manifest);
      const resolved = resolveSecrets(complete, lane.manifest, readSecret);
      this.#reportProblems(resolved);
      lane.configure(resolved);
    });
    return built;
  }

  /** Once for each: a configuration comes with every change. */
  #reportProblems({ instances }: GuestConfiguration): void {
    for (const { id, plugin, problem } of instances) {
      if (problem === undefined || this.#reportedProblems.has(`${id} ${problem}`)) continue;
      this.#reportedProblems.add(`${id} ${problem}`);
      this.#parts.logger.error(
        { plugin, plugin_id: id, reason: problem },
        'a plugin cannot have its secret, and fails every request',
      );
    }
  }

  /** Better before a request has to wait for it. */
  async #prepareTraces(): Promise<void> {
    const isTraced = this.#parts.lanes.manifests.some((manifest) =>
      manifest.plugins.some(
        ({ name, capabilities }) =>
          capabilities.traceExport === true &&
          this.#snapshot.plugins.some((plugin) => plugin.enabled && plugin.name === name),
      ),
    );
    if (isTraced) await this.#parts.prepareTraces();
  }
}
