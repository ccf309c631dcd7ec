/** Brings a database to the schema this build needs, and refuses to work on any other. */
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database, Tables } from './database.ts';
import { MIGRATIONS, type MigrationList } from './migration-list.ts';
import {
  MigrationLockError,
  type MigrationWaits,
  retryWhileBlocked,
  withMigrationLock,
} from './migration-lock.ts';
import {
  FINISHED_TABLE,
  MIGRATIONS_TABLE,
  migrationStatus,
  refuseUnknown,
  SchemaVersionError,
} from './migration-status.ts';
import { translateFailure } from './translate-store-error.ts';

export interface MigrationOptions extends MigrationWaits {
  /** Default: those of this build. */
  readonly migrations?: MigrationList;
}

/** A migration could not be run; its cause says why. Nothing of it was kept. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Runs the `up` of what is pending and returns the names. Nodes of the version before serve on meanwhile. An empty
 * database, which has no nodes yet, is brought up whole or not at all, and finished; another one step by step, so
 * that no table is held longer than its own change takes, and a step that fails leaves those before it.
 *
 * Throws SchemaVersionError when the database is newer than this build, MigrationLockError when another run or query
 * does not let it begin in time, MigrationError when a migration fails, StoreUnavailableError when the database does
 * not answer.
 */
export async function migrateUp(
  database: Database,
  options: MigrationOptions = {},
): Promise<readonly string[]> {
  const migrations = options.migrations ?? MIGRATIONS;
  return runLocked(database, options, async (connection) => {
    const { executed } = await migrationStatus({ kysely: connection }, migrations);
    if (executed.length > 0) return runPending(connection, migrations, options, 'migrateUp');
    const names = await runPending(connection, migrations, options, 'migrateToLatest');
    await finishExecuted(connection, migrations, options);
    return names;
  });
}

/**
 * Runs the `finish` of everything that awaits it and returns the names. Nodes of the version before may fail from then
 * on. Throws as `migrateUp`, and SchemaVersionError too while an `up` is pending.
 */
export async function migrateFinish(
  database: Database,
  options: MigrationOptions = {},
): Promise<readonly string[]> {
  const migrations = options.migrations ?? MIGRATIONS;
  return runLocked(database, options, async (connection) => {
    const status = await migrationStatus({ kysely: connection }, migrations);
    if (status.pending.length > 0) throw lacking(status, 'first');
    return finishExecuted(connection, migrations, options);
  });
}

/** Brings an empty database up and returns the migrations run; a database that has a schema is left as it is. */
export async function bootstrap(
  database: Database,
  options: MigrationOptions = {},
): Promise<readonly string[]> {
  const { executed } = await migrationStatus(database, options.migrations);
  return executed.length === 0 ? migrateUp(database, options) : [];
}

/** Throws SchemaVersionError unless the database has every migration of this build, finished or not, and no other. */
export async function assertKnownSchema(
  database: Database,
  migrations: MigrationList = MIGRATIONS,
): Promise<void> {
  const status = await migrationStatus(database, migrations);
  refuseUnknown(status);
  if (status.pending.length > 0) throw lacking(status);
}

/**
 * Makes the schema ready for a node that starts: an embedded database is migrated, an empty Postgres is bootstrapped,
 * and a Postgres that others may be using is left to the operator: SchemaVersionError says which command to run.
 */
export async function prepareSchema(
  database: Database,
  migrations: MigrationList = MIGRATIONS,
): Promise<void> {
  if (database.kind === 'embedded') {
    // No other node can be using it.
    await migrateUp(database, { migrations });
    await migrateFinish(database, { migrations });
  } else {
    await bootstrap(database, { migrations });
  }
  await assertKnownSchema(database, migrations);
}

function lacking(status: SchemaVersionError['status'], order = ''): SchemaVersionError {
  const message =
    status.executed.length === 0
      ? "the database has no schema yet: run 'tollgate migrations bootstrap'"
      : `the database lacks the migrations ${status.pending.join(', ')}: run 'tollgate migrations up'`;
  return new SchemaVersionError([message, order].join(' ').trim(), status);
}

/** What the status says may have changed while the lock was waited for, so it is read again inside. */
async function runLocked(
  database: Database,
  options: MigrationOptions,
  work: (connection: Kysely<Tables>) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  refuseUnknown(await migrationStatus(database, options.migrations));
  try {
    return await withMigrationLock(database, options, async (connection) => {
      refuseUnknown(await migrationStatus({ kysely: connection }, options.migrations));
      return work(connection);
    });
  } catch (error) {
    throw translateFailure(error);
  }
}

/** `migrateUp` is Kysely's word for one step in a transaction, `migrateToLatest` for all of them in one. */
async function runPending(
  connection: Kysely<Tables>,
  migrations: MigrationList,
  options: MigrationOptions,
  step: 'migrateUp' | 'migrateToLatest',
): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: `${MIGRATIONS_TABLE}_lock`,
  });
  const names: string[] = [];
  for (;;) {
    const { pending } = await migrationStatus({ kysely: connection }, migrations);
    if (pending.length === 0) return names;
    const results = await attempt(options, `the migration ${pending[0]}`, async () => {
      const outcome = await migrator[step]();
      if (outcome.error !== undefined) throw outcome.error;
      return outcome.results ?? [];
    });
    names.push(...results.map(({ migrationName }) => migrationName));
  }
}

async function finishExecuted(
  connection: Kysely<Tables>,
  migrations: MigrationList,
  options: MigrationOptions,
): Promise<readonly string[]> {
  const finished: string[] = [];
  const { awaitingFinish } = await migrationStatus({ kysely: connection }, migrations);
  for (const name of awaitingFinish) {
    const isDone = await attempt(options, `the end of the migration ${name}`, () =>
      connection.transaction().execute((transaction) => finishOnce(transaction, name, migrations[name])),
    );
    if (isDone) finished.push(name);
  }
  return finished;
}

/** False when it was finished before. An embedded database has one session, which its lock does not keep apart. */
async function finishOnce(
  transaction: Kysely<Tables>,
  name: string,
  migration: MigrationList[string] | undefined,
): Promise<boolean> {
  await sql`create table if not exists ${sql.table(FINISHED_TABLE)} (
    name varchar(255) primary key, finished_at timestamptz not null default now())`.execute(transaction);
  const { rows } = await sql`insert into ${sql.table(FINISHED_TABLE)} (name) values (${name})
    on conflict do nothing returning name`.execute(transaction);
  if (rows.length === 0) return false;
  await migration?.finish?.(transaction as unknown as Kysely<unknown>);
  return true;
}

/** Names the change that failed, unless the database is what failed. */
async function attempt<Result>(
  waits: MigrationWaits,
  change: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await retryWhileBlocked(waits, change, run);
  } catch (error) {
    if (error instanceof MigrationLockError || translateFailure(error) !== error) throw error;
    throw new MigrationError(`${change} failed and was undone`, { cause: error });
  }
}
