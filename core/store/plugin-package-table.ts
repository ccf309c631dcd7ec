/** Published packages in the tables of migration `plugin_packages`, on Postgres and on PGlite alike. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import {
  arrangeEntities,
  NO_ENTITIES,
  type PackageArrangement,
  translateArrangementFailure,
} from './package-arrangement.ts';

/** A version of a package, whole. Texts are kept to the letter. */
export interface StoredVersion {
  readonly digest: string;
  readonly package: string;
  readonly version: string;
  /** JSON. */
  readonly manifest: string;
  readonly code: string;
  readonly source_map: string;
}

/** Which versions of a package are in use. */
export interface StoredPackage {
  readonly name: string;
  readonly active_digest: string;
  readonly previous_digest: string | null;
  readonly percent: number;
  readonly on_error: string;
  readonly isolation: string;
}

export interface ListedVersion {
  readonly digest: string;
  readonly version: string;
  /** In unix seconds. */
  readonly created_at: number;
}

/** Every method may throw StoreUnavailableError, and those that arrange entities ArrangementError. */
export interface PluginPackageTable {
  /** By name. */
  list(): Promise<readonly StoredPackage[]>;
  /** With those of these digests that there are. */
  versions(digests: readonly string[]): Promise<readonly StoredVersion[]>;
  /** The latest first. */
  history(name: string): Promise<readonly ListedVersion[]>;
  /** Adds a version without any use; one that is there already stays. */
  add(version: StoredVersion): Promise<void>;
  /**
   * Sets what is in use of a package; `before` is what the decision was made on, undefined for a package that is new.
   * False when that has changed meanwhile. Without `arrangement` its entities stay as they are.
   */
  replace(
    next: StoredPackage,
    before: StoredPackage | undefined,
    arrangement?: PackageArrangement,
  ): Promise<boolean>;
  /** With its entities; their rows only when they are to be purged. */
  remove(name: string, purge: boolean): Promise<void>;
  /** Forgets versions that are not in use, except for the latest so many of each package. */
  prune(name: string, kept: number): Promise<void>;
}

export function createPluginPackageTable({ kysely }: Pick<Database, 'kysely'>): PluginPackageTable {
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw translateArrangementFailure(error);
    }
  };
  const update = (next: StoredPackage, before: StoredPackage) => sql`
      update plugin_packages set active_digest = ${next.active_digest}, previous_digest = ${next.previous_digest},
        percent = ${next.percent}, on_error = ${next.on_error}, isolation = ${next.isolation}, updated_at = clock_timestamp()
      where name = ${next.name} and active_digest = ${before.active_digest}
        and percent = ${before.percent} and on_error = ${before.on_error}
        and isolation = ${before.isolation} and previous_digest is not distinct from ${before.previous_digest}
      returning name`;
  const insert = (next: StoredPackage) => sql`
      insert into plugin_packages (name, active_digest, previous_digest, percent, on_error, isolation)
      values (${next.name}, ${next.active_digest}, ${next.previous_digest}, ${next.percent}, ${next.on_error},
        ${next.isolation})
      on conflict (name) do nothing
      returning name`;
  return {
    list: () =>
      guarded(async () => {
        const { rows } = await sql<StoredPackage>`
          select name, active_digest, previous_digest, percent, on_error, isolation
          from plugin_packages order by name`.execute(kysely);
        return rows;
      }),
    versions: (digests) =>
      guarded(async () => {
        if (digests.length === 0) return [];
        const { rows } = await sql<StoredVersion>`
          select digest, package, version, manifest, code, source_map
          from plugin_versions where digest = any(${[...digests]}::text[])`.execute(kysely);
        return rows;
      }),
    history: (name) =>
      guarded(async () => {
        const { rows } = await sql<ListedVersion>`
          select digest, version, floor(extract(epoch from created_at))::int as created_at
          from plugin_versions where package = ${name}
          order by plugin_versions.created_at desc`.execute(kysely);
        return rows;
      }),
    add: (version) =>
      guarded(async () => {
        await sql`
          insert into plugin_versions (digest, package, version, manifest, code, source_map)
          values (${version.digest}, ${version.package}, ${version.version}, ${version.manifest},
            ${version.code}, ${version.source_map})
          on conflict (digest) do nothing`.execute(kysely);
      }),
    replace: (next, before, arrangement) =>
      guarded(async () => {
        const written = before === undefined ? insert(next) : update(next, before);
        const isArranged = arrangement ? arrangeEntities(next.name, arrangement) : sql`true`;
        const { rows } = await sql`
          with written as (${written}) select ${isArranged} from written`.execute(kysely);
        return rows.length === 1;
      }),
    remove: (name, purge) =>
      guarded(async () => {
        await sql`
          with removed as (delete from plugin_packages where name = ${name} returning name)
          select ${arrangeEntities(name, { ...NO_ENTITIES, purge })} from removed`.execute(kysely);
      }),
    prune: (name, kept) =>
      guarded(async () => {
        await sql`
          delete from plugin_versions where package = ${name}
            and digest not in (select active_digest from plugin_packages)
            and digest not in (select previous_digest from plugin_packages where previous_digest is not null)
            and digest not in (select digest from plugin_versions where package = ${name}
              order by created_at desc limit ${kept})`.execute(kysely);
      }),
  };
}
