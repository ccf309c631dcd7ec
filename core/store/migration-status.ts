/** Which migrations a database has seen, compared with those of this build. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { MIGRATIONS, type MigrationList } from './migration-list.ts';
import { translateFailure } from './translate-store-error.ts';

/** One row for each `up` that has run. */
export const MIGRATIONS_TABLE = 'schema_migrations';
/** One row for each `finish` that has run. Made by the first one. */
export const FINISHED_TABLE = 'schema_migrations_finished';

export interface MigrationStatus {
  readonly executed: readonly string[];
  /** Known to this build and not run yet. */
  readonly pending: readonly string[];
  /** Run up to what the version before can live with, and not finished yet. */
  readonly awaitingFinish: readonly string[];
  /** Run by another build and not known to this one. */
  readonly unknown: readonly string[];
}

/** The database's schema is older or newer than this build's; the message says which migrations and what to do. */
export class SchemaVersionError extends Error {
  readonly status: MigrationStatus;

  constructor(message: string, status: MigrationStatus) {
    super(message);
    this.name = 'SchemaVersionError';
    this.status = status;
  }
}

/** Changes nothing. Throws StoreUnavailableError when the database does not answer. */
export async function migrationStatus(
  { kysely }: Pick<Database, 'kysely'>,
  migrations: MigrationList = MIGRATIONS,
): Promise<MigrationStatus> {
  const executed = await listNames(kysely, MIGRATIONS_TABLE);
  const finished = await listNames(kysely, FINISHED_TABLE);
  const known = Object.keys(migrations);
  return {
    executed,
    pending: known.filter((name) => !executed.includes(name)),
    awaitingFinish: executed.filter((name) => migrations[name]?.finish && !finished.includes(name)),
    unknown: executed.filter((name) => !known.includes(name)),
  };
}

/** Throws SchemaVersionError when another build has migrated the database further than this one can. */
export function refuseUnknown(status: MigrationStatus): void {
  if (status.unknown.length === 0) return;
  throw new SchemaVersionError(
    `the database was migrated by a newer version (${status.unknown.join(', ')}): run that version or a later one`,
    status,
  );
}

async function listNames(kysely: Database['kysely'], table: string): Promise<readonly string[]> {
  try {
    const { rows } = await sql<{ present: boolean }>`
      select to_regclass(${table}) is not null as present`.execute(kysely);
    if (!rows[0]?.present) return [];
    const names = await sql<{ name: string }>`select name from ${sql.table(table)} order by name`.execute(
      kysely,
    );
    return names.rows.map(({ name }) => name);
  } catch (error) {
    throw translateFailure(error);
  }
}
