/**
 * Publishing, changing and taking back packages while the gateway serves. A package gets into the database only after
 * it was loaded where it can hurt nobody, after it fits what is stored, and after all workers of this node have loaded
 * it; what fails on the way leaves everything as it was.
 */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { EntityRow } from '../entities/define-entity.ts';
import type { OnError } from '../sandbox/absent-lane.ts';
import type { Isolation } from '../sandbox/package-lane.ts';
import { type PluginArtefact, readArtefact } from '../sandbox/plugin-artefact.ts';
import type { PluginPackageTable, StoredPackage, StoredVersion } from '../store/plugin-package-table.ts';
import { findBrokenConfigurations } from './broken-configurations.ts';
import {
  type PackageDetail,
  type PackageSummary,
  summarisePackage,
  summariseVersion,
  type VersionSummary,
} from './describe-package.ts';
import { declareTheSame } from './package-entities.ts';
import { type PackageRefusal, refusalOf, refuse } from './package-refusal.ts';
import type { EntityPlanDependencies } from './plan-entities.ts';
import { type PlannedTransition, planTransition, rearrangePackage } from './rearrange-package.ts';
import { artefactOf, type RunningPackages } from './running-packages.ts';
import { refuseTakenNames } from './taken-names.ts';

export type PublisherAnswer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly refusal: PackageRefusal };

export interface TrafficChange {
  /** Of the requests, those that the new version runs. Publishing without it moves all. */
  readonly percent?: number;
  /** What requests get while the package may not or cannot run. A new package without it: `fail`. */
  readonly onError?: OnError;
  /** Rows of entities that are gone go too; otherwise they keep it from happening. */
  readonly purge?: boolean;
  /** Where it runs. A new package without it: in a process of its own. */
  readonly isolation?: Isolation;
}

/** What would be and what was, before anything is done. */
export interface PackageForecast {
  readonly name: string;
  readonly before: VersionSummary | null;
  readonly after: VersionSummary;
}

export interface PackagePublisherDependencies extends EntityPlanDependencies {
  readonly table: PluginPackageTable;
  readonly running: RunningPackages;
  /** What comes with the gateway: its names are not for others. */
  readonly bundled: readonly PackageManifest[];
  /** What is wrong with a package that is loaded, for its author; undefined when nothing is. */
  readonly inspect: (artefact: PluginArtefact) => Promise<string | undefined>;
  /** All stored plugins. */
  readonly storedPlugins: () => Promise<readonly EntityRow[]>;
  /** Resolves when the workers of this node serve what is in the database. */
  readonly publishChange: () => Promise<void>;
}

const SHARING_REFUSAL =
  'two versions that declare different entities cannot share the traffic: publish it for all requests';
/** Versions that are kept beside those in use. */
const KEPT_VERSIONS = 20;

/** Every method may reject with StoreUnavailableError; what the caller did wrong it returns. */
export class PackagePublisher {
  readonly #dependencies: PackagePublisherDependencies;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(dependencies: PackagePublisherDependencies) {
    this.#dependencies = dependencies;
  }

  async list(): Promise<readonly PackageSummary[]> {
    const { table, running } = this.#dependencies;
    const stored = await table.list();
    const versions = await this.#versionsOf(stored);
    return stored.map((each) => summarisePackage(each, versions, running.problemOf(each.name)));
  }

  find(name: string): Promise<PublisherAnswer<PackageDetail>> {
    return this.#answer(() => this.#describe(name));
  }

  /** What publishing this document would change; nothing is done but look at it. */
  forecast(document: Readonly<Record<string, unknown>>): Promise<PublisherAnswer<PackageForecast>> {
    return this.#answer(async () => {
      const { artefact, current } = await this.#check(document, {});
      const { version, digest, manifest } = artefact;
      return {
        name: artefact.name,
        before:
          current === undefined ? null : summariseVersion(current.version, current.digest, current.manifest),
        after: summariseVersion(version, digest, manifest),
      };
    });
  }

  publish(
    document: Readonly<Record<string, unknown>>,
    change: TrafficChange,
  ): Promise<PublisherAnswer<PackageDetail>> {
    return this.#answer(async () => {
      const { artefact, before, entities } = await this.#check(document, change);
      const { name, digest } = artefact;
      const { table } = this.#dependencies;
      await table.add(storedVersionOf(artefact));
      const previous = before === undefined ? null : versionToKeep(before, digest);
      const next: StoredPackage = {
        name,
        active_digest: digest,
        previous_digest: previous,
        percent: previous === null ? 100 : (change.percent ?? 100),
        on_error: change.onError ?? before?.on_error ?? 'fail',
        isolation: change.isolation ?? before?.isolation ?? 'process',
      };
      await this.#use(next, before, entities);
      await table.prune(name, KEPT_VERSIONS);
      return this.#describe(name);
    });
  }

  /** Makes the version before the active one for all requests, and the active one that before. */
  rollback(name: string): Promise<PublisherAnswer<PackageDetail>> {
    return this.#answer(async () => {
      const before = await this.#require(name);
      const [previous] = await this.#dependencies.table.versions([before.previous_digest ?? '']);
      const [current] = await this.#dependencies.table.versions([before.active_digest]);
      if (previous === undefined)
        throw refuse('conflict', `there is no version of '${name}' before this one`);
      const artefact = artefactOf(previous);
      const inUse = current && artefactOf(current);
      await this.#refuseBroken(artefact.manifest, inUse?.manifest, 'back');
      const entities = await planTransition(this.#dependencies, {
        next: artefact,
        current: inUse,
        direction: 'back',
        purge: false,
      });
      const next: StoredPackage = {
        ...before,
        active_digest: previous.digest,
        previous_digest: before.active_digest,
        percent: 100,
      };
      await this.#use(next, before, entities);
      return this.#describe(name);
    });
  }

  change(
    name: string,
    { percent, onError, isolation }: TrafficChange,
  ): Promise<PublisherAnswer<PackageDetail>> {
    return this.#answer(async () => {
      const before = await this.#require(name);
      const next: StoredPackage = {
        ...before,
        percent: percent ?? before.percent,
        on_error: onError ?? before.on_error,
        isolation: isolation ?? before.isolation,
      };
      if (next.percent < 100) await this.#refuseSharing(next);
      await this.#use(next, before, undefined);
      return this.#describe(name);
    });
  }

  /** Takes a package out of use that nobody has configured, and with `purge` the rows of its entities. */
  remove(name: string, purge: boolean): Promise<PublisherAnswer<undefined>> {
    return this.#answer(async () => {
      const { table, storedPlugins, publishChange } = this.#dependencies;
      const before = await this.#require(name);
      const [current] = await table.versions([before.active_digest]);
      const names = new Set(current && artefactOf(current).manifest.plugins.map((plugin) => plugin.name));
      const users = (await storedPlugins()).filter((row) => names.has(String(row['name'])));
      if (users.length > 0) {
        const broken = users.map((row) => ({
          id: row.id,
          name: String(row['name']),
          fields: { name: 'its package would be gone' },
        }));
        throw refuse('conflict', `plugins of '${name}' are configured`, broken);
      }
      await table.remove(name, purge);
      await publishChange();
      await table.prune(name, 0);
      return undefined;
    });
  }

  /** One at a time: each decides on what the one before it has left. */
  #answer<Result>(work: () => Promise<Result>): Promise<PublisherAnswer<Result>> {
    const answering = this.#queue.then(work).then(
      (result): PublisherAnswer<Result> => ({ ok: true, result }),
      (error: unknown): PublisherAnswer<Result> => {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        return { ok: false, refusal };
      },
    );
    this.#queue = answering.catch(() => {});
    return answering;
  }

  async #describe(name: string): Promise<PackageDetail> {
    const { table, running } = this.#dependencies;
    const stored = await this.#require(name);
    const versions = await this.#versionsOf([stored]);
    return {
      ...summarisePackage(stored, versions, running.problemOf(name)),
      versions: await table.history(name),
    };
  }

  async #require(name: string): Promise<StoredPackage> {
    const stored = (await this.#dependencies.table.list()).find((each) => each.name === name);
    if (stored === undefined) throw refuse('missing', `No plugin package named '${name}'`);
    return stored;
  }

  async #versionsOf(stored: readonly StoredPackage[]): Promise<ReadonlyMap<string, StoredVersion>> {
    const digests = stored.flatMap(({ active_digest, previous_digest }) => [
      active_digest,
      previous_digest ?? '',
    ]);
    const versions = await this.#dependencies.table.versions(digests);
    return new Map(versions.map((version) => [version.digest, version]));
  }

  /** Throws unless the document is a package that loads, and that fits the others and what is stored. */
  async #check(document: Readonly<Record<string, unknown>>, { percent = 100, purge = false }: TrafficChange) {
    const artefact = readArtefact(document);
    const { table } = this.#dependencies;
    const stored = await table.list();
    const versions = await this.#versionsOf(stored);
    const before = stored.find(({ name }) => name === artefact.name);
    const found = versions.get(before?.active_digest ?? '');
    const current = found && artefactOf(found);
    const others = stored
      .filter(({ name }) => name !== artefact.name)
      .flatMap(({ active_digest }) => versions.get(active_digest) ?? [])
      .map((version) => artefactOf(version).manifest);
    refuseTakenNames(artefact.manifest, this.#dependencies.bundled, others);
    await this.#refuseBroken(artefact.manifest, current?.manifest, 'forward');
    const problem = await this.#dependencies.inspect(artefact);
    if (problem !== undefined) throw refuse('invalid', `the package is refused: ${problem}`);
    if (percent < 100 && current !== undefined && !declareTheSame(current.manifest, artefact.manifest)) {
      throw refuse('conflict', SHARING_REFUSAL);
    }
    const entities = await planTransition(this.#dependencies, {
      next: artefact,
      current,
      direction: 'forward',
      purge,
    });
    return { artefact, before, current, entities };
  }

  /** Two versions that work on the same rows at once have to agree on them. */
  async #refuseSharing({ active_digest, previous_digest }: StoredPackage): Promise<void> {
    const found = await this.#dependencies.table.versions([active_digest, previous_digest ?? '']);
    const [one, other = one] = found.map((version) => artefactOf(version).manifest);
    if (one && other && !declareTheSame(one, other)) throw refuse('conflict', SHARING_REFUSAL);
  }

  async #refuseBroken(
    next: PackageManifest,
    before: PackageManifest | undefined,
    direction: 'forward' | 'back',
  ): Promise<void> {
    const rows = await this.#dependencies.storedPlugins();
    const broken = findBrokenConfigurations(rows, next, before, direction);
    if (broken.length === 0) return;
    throw refuse('conflict', `${broken.length} stored configurations do not fit this version`, broken);
  }

  /** Brings it to all workers, or leaves the database and the workers as they were. */
  async #use(
    next: StoredPackage,
    before: StoredPackage | undefined,
    planned: PlannedTransition | undefined,
  ): Promise<void> {
    const { running, publishChange } = this.#dependencies;
    try {
      const isolation = next.isolation === 'thread' ? 'thread' : 'process';
      if (planned !== undefined) await running.stage({ artefact: planned.transition.next, isolation });
    } catch (error) {
      await running.unstage();
      throw refuse('invalid', `the package is refused: ${messageOf(error)}`);
    }
    try {
      if (!(await rearrangePackage(this.#dependencies, next, before, planned))) {
        throw refuse('conflict', `'${next.name}' has been changed by somebody else meanwhile`);
      }
    } catch (error) {
      await running.unstage();
      throw error;
    }
    await publishChange();
    const problem = running.problemOf(next.name);
    if (problem === undefined) return;
    await this.#takeBack(next, before, planned);
    await publishChange();
    throw refuse('failed', `a worker cannot run the package: ${problem}`);
  }

  /** The rows of a package that has never served are nobody's. */
  async #takeBack(
    next: StoredPackage,
    before: StoredPackage | undefined,
    planned: PlannedTransition | undefined,
  ): Promise<void> {
    if (before === undefined) return this.#dependencies.table.remove(next.name, true);
    const { current, next: failed } = planned?.transition ?? {};
    const isBackward = current !== undefined && failed !== undefined;
    const back = isBackward
      ? await planTransition(this.#dependencies, {
          next: current,
          current: failed,
          direction: 'back',
          purge: false,
        })
      : undefined;
    await rearrangePackage(this.#dependencies, before, next, back);
  }
}

/** A version that has had only a part of the traffic is not one to go back to: the one it was to replace is. */
function versionToKeep(before: StoredPackage, next: string): string | null {
  const isOnTrial = before.percent < 100 && before.previous_digest !== null;
  const kept = isOnTrial ? before.previous_digest : before.active_digest;
  if (kept !== next) return kept;
  return before.active_digest === next ? before.previous_digest : before.active_digest;
}

function storedVersionOf({
  digest,
  name,
  version,
  manifest,
  code,
  sourceMap,
}: PluginArtefact): StoredVersion {
  return { digest, package: name, version, manifest: JSON.stringify(manifest), code, source_map: sourceMap };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
