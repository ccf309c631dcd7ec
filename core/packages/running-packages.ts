/**
 * The published packages this node runs: read from the database at the start and after each change of them, loaded
 * beside those in use, and handed to the workers. A version that does not load leaves the one before it serving.
 */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { ConfigurationServers } from '../config/node-configuration.ts';
import { type ActivePackage, type PackageVersion, versionsOf } from '../data-plane/active-package.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { StoreUnavailableError } from '../store/entity-error.ts';
import type { PluginPackageTable, StoredPackage, StoredVersion } from '../store/plugin-package-table.ts';
import type { PackageFile } from './package-file.ts';

/** What runs them. Both resolve when every worker has done it, and reject when one cannot. */
export interface PackageRunner {
  stagePackage(version: PackageVersion): Promise<void>;
  usePackages(packages: readonly ActivePackage[]): Promise<void>;
}

export interface RunningPackagesDependencies {
  readonly table: PluginPackageTable;
  /** Where they are kept for a start without the database; absent where the database is on this disk itself. */
  readonly file?: PackageFile;
  /** Told the manifests of the active versions before workers serve them: what they look up must be known by then. */
  readonly beforeUse: (manifests: readonly PackageManifest[]) => void;
  /** Told the same whenever workers have begun to serve them. */
  readonly onChange: (manifests: readonly PackageManifest[]) => void;
  readonly logger: {
    notice(details: Readonly<Record<string, unknown>>, message: string): void;
    error(details: Readonly<Record<string, unknown>>, message: string): void;
  };
}

/** Entity of the log of changes. */
const PACKAGES = 'plugin_packages';
/** After that twice as long each time: workers stop for everybody while they try. */
const FIRST_RETRY_MS = 5000;
const MAX_RETRY_MS = 600_000;

export class RunningPackages {
  readonly #dependencies: RunningPackagesDependencies;
  #runner: PackageRunner | undefined;
  #running: readonly ActivePackage[] = [];
  /** By package, why its active version does not run here. */
  readonly #problems = new Map<string, string>();
  #refreshing: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(dependencies: RunningPackagesDependencies) {
    this.#dependencies = dependencies;
  }

  get running(): readonly ActivePackage[] {
    return this.#running;
  }

  /** The package whose active version offers the plugin here. */
  packageOf(plugin: string): ActivePackage | undefined {
    const offers = ({ current }: ActivePackage) =>
      current.manifest.plugins.some(({ name, aliases }) => name === plugin || aliases.includes(plugin));
    return this.#running.find(offers);
  }

  problemOf(name: string): string | undefined {
    return this.#problems.get(name);
  }

  /** What to start the workers with. With the database gone it is what the disk has. */
  async load(isDatabaseThere: boolean): Promise<readonly ActivePackage[]> {
    const fromDisk = async () => (await this.#dependencies.file?.read()) ?? [];
    if (!isDatabaseThere) this.#running = await fromDisk();
    else {
      try {
        this.#running = await readActive(this.#dependencies.table);
        await this.#keep();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        this.#running = await fromDisk();
      }
    }
    this.#dependencies.beforeUse(manifestsOf(this.#running));
    return this.#running;
  }

  /** The workers serve what `load` has returned. From now on changes reach them ahead of other configuration. */
  follow(runner: PackageRunner, servers: ConfigurationServers): ConfigurationServers {
    this.#runner = runner;
    this.#announce();
    return {
      publish: async (snapshot) => {
        await this.#refresh();
        await servers.publish(snapshot);
      },
      update: async (update) => {
        const isConcerned = update.invalidations.some(
          ({ entity, everything }) => entity === PACKAGES || everything === true,
        );
        if (isConcerned) await this.#refresh();
        await servers.update(update);
      },
    };
  }

  /** Loads a version beside those in use. Rejects with what is wrong with it, for its author. */
  async stage(version: PackageVersion): Promise<void> {
    await this.#runner?.stagePackage(version);
  }

  /** Lets go what was staged and never used. */
  async unstage(): Promise<void> {
    await this.#runner?.usePackages(this.#running);
  }

  /** One at a time, each after the one before it. Rejects with StoreUnavailableError. */
  #refresh(): Promise<void> {
    const refreshing = this.#refreshing.then(() => this.#takeOver());
    this.#refreshing = refreshing.catch(() => {});
    return refreshing;
  }

  /** What could not be loaded may have been the fault of a busy machine, or of a data plane that was starting. */
  #retryLater(): void {
    if (this.#problems.size === 0) this.#retryMs = FIRST_RETRY_MS;
    if (this.#problems.size === 0 || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#refresh().catch(() => this.#retryLater());
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  /** What does not load is a problem of its package alone. */
  async #takeOver(): Promise<void> {
    const wanted = await readActive(this.#dependencies.table);
    if (this.#problems.size === 0 && keyOf(wanted) === keyOf(this.#running)) return;
    const loaded = new Set(this.#running.flatMap(versionsOf).map(keyOfVersion));
    this.#problems.clear();
    const next: ActivePackage[] = [];
    for (const each of wanted) {
      const usable = await this.#stageAll(each, loaded);
      const kept = usable ? each : this.#running.find(({ name }) => name === each.name);
      if (kept !== undefined) next.push(kept);
    }
    try {
      this.#dependencies.beforeUse(manifestsOf(next));
      await this.#runner?.usePackages(next);
    } catch (error) {
      // Those of before go on serving everywhere.
      this.#dependencies.beforeUse(manifestsOf(this.#running));
      for (const { name } of wanted) this.#problems.set(name, messageOf(error));
      this.#retryLater();
      this.#dependencies.logger.error({ err: error }, 'published packages cannot be taken over');
      return;
    }
    this.#running = next;
    this.#retryLater();
    this.#announce();
    await this.#keep();
  }

  async #stageAll(each: ActivePackage, loaded: ReadonlySet<string>): Promise<boolean> {
    try {
      for (const version of versionsOf(each)) {
        if (!loaded.has(keyOfVersion(version))) await this.stage(version);
      }
      return true;
    } catch (error) {
      this.#problems.set(each.name, messageOf(error));
      const { name, current } = each;
      this.#dependencies.logger.error(
        { package: name, package_version: current.version, reason: messageOf(error) },
        'a published package cannot be loaded; what ran before goes on',
      );
      return false;
    }
  }

  #announce(): void {
    this.#dependencies.onChange(manifestsOf(this.#running));
    for (const { name, current, percent } of this.#running) {
      const details = { package: name, package_version: current.version, percent };
      this.#dependencies.logger.notice(details, 'a published package serves');
    }
  }

  async #keep(): Promise<void> {
    try {
      await this.#dependencies.file?.write(this.#running);
    } catch (error) {
      this.#dependencies.logger.error({ err: error }, 'published packages cannot be kept on the disk');
    }
  }
}

async function readActive(table: PluginPackageTable): Promise<readonly ActivePackage[]> {
  const stored = await table.list();
  const digests = stored.flatMap((each) => [each.active_digest, previousInUse(each) ?? []].flat());
  const versions = new Map((await table.versions(digests)).map((version) => [version.digest, version]));
  return stored.flatMap((each): readonly ActivePackage[] => {
    const current = versions.get(each.active_digest);
    if (current === undefined) return [];
    const previous = versions.get(previousInUse(each) ?? '');
    return [
      {
        name: each.name,
        current: artefactOf(current),
        previous: previous && artefactOf(previous),
        percent: each.percent,
        onError: each.on_error === 'skip' ? 'skip' : 'fail',
        isolation: each.isolation === 'thread' ? 'thread' : 'process',
      },
    ];
  });
}

/** Where all requests run the active version, nodes have no use for the other one. */
function previousInUse({ percent, previous_digest }: StoredPackage): string | null {
  return percent < 100 ? previous_digest : null;
}

export function artefactOf(stored: StoredVersion): PluginArtefact {
  return {
    format: 1,
    name: stored.package,
    version: stored.version,
    manifest: JSON.parse(stored.manifest) as PackageManifest,
    code: stored.code,
    sourceMap: stored.source_map,
    digest: stored.digest,
  };
}

const keyOfVersion = ({ artefact, isolation }: PackageVersion): string => `${artefact.digest} ${isolation}`;

function manifestsOf(packages: readonly ActivePackage[]): readonly PackageManifest[] {
  return packages.map(({ current }) => current.manifest);
}

/** Tells apart what workers would have to be told. */
function keyOf(packages: readonly ActivePackage[]): string {
  return JSON.stringify(
    packages.map(({ name, current, previous, percent, onError, isolation }) => [
      name,
      current.digest,
      previous?.digest,
      percent,
      onError,
      isolation,
    ]),
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
