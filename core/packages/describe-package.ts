/** What operators are told of a package: plain JSON, as the Admin API answers it. Pure. */
import type { Capabilities, EntityManifest, PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { ListedVersion, StoredPackage, StoredVersion } from '../store/plugin-package-table.ts';

export interface VersionSummary {
  readonly version: string;
  readonly digest: string;
  readonly plugins: readonly {
    readonly name: string;
    readonly version: string;
    readonly priority: number;
    readonly phases: readonly string[];
    /** What the host lets it reach beyond the request it is handed. */
    readonly capabilities: Capabilities;
    /** What it keeps in the database, and where in the Admin API. Absent: nothing. */
    readonly entities?: readonly { readonly name: string; readonly path: string | null }[];
  }[];
}

export interface PackageSummary {
  readonly name: string;
  /** Of the requests, those that the active version runs. */
  readonly percent: number;
  readonly on_error: string;
  /** `process` of its own, or the `thread` of the worker. */
  readonly isolation: string;
  readonly active: VersionSummary | null;
  readonly previous: VersionSummary | null;
  /** Why this node does not run the active version; null when it does. */
  readonly problem: string | null;
}

export interface PackageDetail extends PackageSummary {
  /** The latest first. */
  readonly versions: readonly ListedVersion[];
}

export function summarisePackage(
  stored: StoredPackage,
  versions: ReadonlyMap<string, StoredVersion>,
  problem: string | undefined,
): PackageSummary {
  const summaryOf = (digest: string | null): VersionSummary | null => {
    const found = digest === null ? undefined : versions.get(digest);
    if (found === undefined) return null;
    return summariseVersion(found.version, found.digest, JSON.parse(found.manifest) as PackageManifest);
  };
  return {
    name: stored.name,
    percent: stored.percent,
    on_error: stored.on_error,
    isolation: stored.isolation,
    active: summaryOf(stored.active_digest),
    previous: summaryOf(stored.previous_digest),
    problem: problem ?? null,
  };
}

export function summariseVersion(
  version: string,
  digest: string,
  { plugins }: PackageManifest,
): VersionSummary {
  return {
    version,
    digest,
    plugins: plugins.map((plugin) => ({
      name: plugin.name,
      version: plugin.version,
      priority: plugin.priority,
      phases: plugin.phases,
      capabilities: plugin.capabilities,
      ...(plugin.entities && { entities: plugin.entities.map(summariseEntity) }),
    })),
  };
}

function summariseEntity({ name, adminApiName, generateAdminApi }: EntityManifest) {
  return { name, path: generateAdminApi ? `/${adminApiName}` : null };
}
