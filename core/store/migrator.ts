/** Brings a database to the schema this build needs, and refuses to work on any other. */
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import * as coreEntities from '../../migrations/0001_core_entities.ts';
import * as keyAuthCredentials from '../../migrations/0002_key_auth_credentials.ts';
import type { Database } from './database.ts';
import { translateFailure } from './translate-store-error.ts';

const MIGRATIONS_TABLE = 'schema_migrations';

/** In the order they run. A released one never changes. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_core_entities': coreEntities,
  '0002_key_auth_credentials': keyAuthCredentials,
};

export interface MigrationStatus {
  readonly executed: readonly string[];
  /** Known to this build and not run yet. */
  readonly pending: readonly string[];
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

export async function migrationStatus(database: Database): Promise<MigrationStatus> {
  const executed = await listExecuted(database);
  const known = Object.keys(MIGRATIONS);
  return {
    executed,
    pending: known.filter((name) => !executed.includes(name)),
    unknown: executed.filter((name) => !known.includes(name)),
  };
}

/**
 * Runs what is pending, all or nothing, while other nodes wait, and returns the names. Throws SchemaVersionError when
 * the database is newer than this build, StoreUnavailableError when it does not answer.
 */
export async function migrateUp(database: Database): Promise<readonly string[]> {
  refuseUnknown(await migrationStatus(database));
  try {
    return await database.kysely.connection().execute(async (connection) => {
      // Waiting for another node's migration may take longer than any query should.
      await sql`set statement_timeout = 0`.execute(connection);
      try {
        return await runMigrations(connection);
      } finally {
        await sql`reset statement_timeout`.execute(connection);
      }
    });
  } catch (error) {
    throw translateFailure(error);
  }
}

/** Brings an empty database up and returns the migrations run; a database that has a schema is left as it is. */
export async function bootstrap(database: Database): Promise<readonly string[]> {
  const { executed } = await migrationStatus(database);
  return executed.length === 0 ? migrateUp(database) : [];
}

/** Throws SchemaVersionError unless the database has exactly the migrations of this build. */
export async function assertKnownSchema(database: Database): Promise<void> {
  const status = await migrationStatus(database);
  refuseUnknown(status);
  if (status.pending.length === 0) return;
  const message =
    status.executed.length === 0
      ? "the database has no schema yet: run 'tollgate migrations bootstrap'"
      : `the database lacks the migrations ${status.pending.join(', ')}: run 'tollgate migrations up'`;
  throw new SchemaVersionError(message, status);
}

/**
 * Makes the schema ready for a node that starts: an embedded database is migrated, an empty Postgres is bootstrapped,
 * and a Postgres that others may be using is left to the operator: SchemaVersionError says which command to run.
 */
export async function prepareSchema(database: Database): Promise<void> {
  if (database.kind === 'embedded') await migrateUp(database);
  else await bootstrap(database);
  await assertKnownSchema(database);
}

function refuseUnknown(status: MigrationStatus): void {
  if (status.unknown.length === 0) return;
  throw new SchemaVersionError(
    `the database was migrated by a newer version (${status.unknown.join(', ')}): run that version or a later one`,
    status,
  );
}

async function listExecuted({ kysely }: Database): Promise<readonly string[]> {
  try {
    const { rows } = await sql<{ present: boolean }>`
      select to_regclass(${MIGRATIONS_TABLE}) is not null as present`.execute(kysely);
    if (!rows[0]?.present) return [];
    const names = await sql<{
      name: string;
    }>`select name from ${sql.table(MIGRATIONS_TABLE)} order by name`.execute(kysely);
    return names.rows.map(({ name }) => name);
  } catch (error) {
    throw translateFailure(error);
  }
}

async function runMigrations(kysely: Database['kysely']): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: kysely,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: `${MIGRATIONS_TABLE}_lock`,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map(({ migrationName }) => migrationName);
}
