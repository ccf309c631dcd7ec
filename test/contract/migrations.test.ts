/** Migrations in two phases, and one run at a time: what an operator with several nodes relies on. */
import { type Kysely, sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeDatabase, type Database, openDatabase } from '../../core/store/database.ts';
import { StoreUnavailableError } from '../../core/store/entity-error.ts';
import { MIGRATIONS, type MigrationList, type SchemaMigration } from '../../core/store/migration-list.ts';
import { MigrationLockError, withMigrationLock } from '../../core/store/migration-lock.ts';
import { migrationStatus } from '../../core/store/migration-status.ts';
import { assertKnownSchema, migrateFinish, migrateUp, prepareSchema } from '../../core/store/migrator.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { DATABASE_KINDS } from './store-databases.ts';

const NEXT = '9000_next';
const THEN = '9001_then';

/** Renames a column, as two versions that run side by side have to: add first, drop when the old one is gone. */
const renameColumn: SchemaMigration = {
  up: async (db) => {
    await sql`alter table services add column title text`.execute(db);
  },
  finish: async (db) => {
    await sql`alter table services drop column name`.execute(db);
  },
};

const listOf = (added: Readonly<Record<string, SchemaMigration>>): MigrationList => ({
  ...MIGRATIONS,
  ...added,
});

const columnsOf = async ({ kysely }: Database, table: string): Promise<readonly string[]> => {
  const { rows } = await sql<{ column_name: string }>`
    select column_name from information_schema.columns
    where table_schema = current_schema() and table_name = ${table}`.execute(kysely);
  return rows.map(({ column_name }) => column_name);
};

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`a migration in two phases on ${kind}`, () => {
    const openDisposed = async () => {
      const { database, dispose } = await open();
      onTestFinished(dispose);
      return database;
    };
    const migrations = listOf({ [NEXT]: renameColumn });

    it('is pending, then awaits its finish while nodes may start, then is done', async () => {
      const database = await openDisposed();
      await migrateUp(database);
      expect(await migrationStatus(database, migrations)).toMatchObject({
        pending: [NEXT],
        awaitingFinish: [],
      });

      expect(await migrateUp(database, { migrations })).toEqual([NEXT]);
      expect(await columnsOf(database, 'services')).toEqual(expect.arrayContaining(['name', 'title']));
      expect(await migrationStatus(database, migrations)).toMatchObject({
        pending: [],
        awaitingFinish: [NEXT],
      });
      await assertKnownSchema(database, migrations);
      expect(await migrateUp(database, { migrations })).toEqual([]);

      expect(await migrateFinish(database, { migrations })).toEqual([NEXT]);
      expect(await columnsOf(database, 'services')).not.toContain('name');
      expect(await migrationStatus(database, migrations)).toMatchObject({ pending: [], awaitingFinish: [] });
      expect(await migrateFinish(database, { migrations })).toEqual([]);
      await assertKnownSchema(database, migrations);
    });

    it('is finished at once on an empty database, which no older node can be using', async () => {
      const database = await openDisposed();
      expect(await migrateUp(database, { migrations })).toEqual(Object.keys(migrations));
      expect(await columnsOf(database, 'services')).not.toContain('name');
      expect(await migrationStatus(database, migrations)).toMatchObject({ awaitingFinish: [] });
    });

    it('is not finished before everything is up', async () => {
      const database = await openDisposed();
      await expect(migrateFinish(database, { migrations })).rejects.toThrow('has no schema yet');
      await migrateUp(database);
      await expect(migrateFinish(database, { migrations })).rejects.toThrow(
        `lacks the migrations ${NEXT}: run 'tollgate migrations up' first`,
      );
    });

    it('is undone as a whole when it fails, and the ones before it stay', async () => {
      const database = await openDisposed();
      await migrateUp(database);
      const failing: SchemaMigration = {
        up: async (db) => {
          await sql`create table half_done (id int)`.execute(db);
          await sql`alter table services drop column nonsense`.execute(db);
        },
      };
      const broken = listOf({ [NEXT]: renameColumn, [THEN]: failing });
      await expect(migrateUp(database, { migrations: broken })).rejects.toMatchObject({
        name: 'MigrationError',
        message: `the migration ${THEN} failed and was undone`,
        cause: expect.objectContaining({ message: expect.stringContaining('nonsense') }),
      });
      expect(await migrationStatus(database, broken)).toMatchObject({ pending: [THEN] });
      expect(await columnsOf(database, 'half_done')).toEqual([]);
      // It can be tried again.
      const repaired = listOf({ [NEXT]: renameColumn, [THEN]: { up: async () => {} } });
      expect(await migrateUp(database, { migrations: repaired })).toEqual([THEN]);
    });

    it('whose finish fails stays as it was and still awaits it', async () => {
      const database = await openDisposed();
      await migrateUp(database);
      const broken = listOf({
        [NEXT]: {
          up: async () => {},
          finish: async (db) => {
            await sql`drop table plugins`.execute(db);
            await sql`drop table nonsense`.execute(db);
          },
        },
      });
      await migrateUp(database, { migrations: broken });
      await expect(migrateFinish(database, { migrations: broken })).rejects.toThrow(
        `the end of the migration ${NEXT} failed and was undone`,
      );
      expect(await columnsOf(database, 'plugins')).toContain('config');
      expect(await migrationStatus(database, broken)).toMatchObject({ awaitingFinish: [NEXT] });
    });
  });
}

describe('the schema of a node that starts', () => {
  it('is brought up and finished by itself where the database is embedded', async () => {
    const { database, dispose } = await DATABASE_KINDS.PGlite();
    onTestFinished(dispose);
    await prepareSchema(database);
    const migrations = listOf({ [NEXT]: renameColumn });
    await prepareSchema(database, migrations);
    expect(await migrationStatus(database, migrations)).toMatchObject({ pending: [], awaitingFinish: [] });
  });

  it('is left to the operator where others may be using the database', async () => {
    const { database, dispose } = await DATABASE_KINDS.Postgres();
    onTestFinished(dispose);
    await prepareSchema(database);
    await expect(prepareSchema(database, listOf({ [NEXT]: renameColumn }))).rejects.toThrow(
      `the database lacks the migrations ${NEXT}: run 'tollgate migrations up'`,
    );
  });
});

describe('two runs of migrations on one Postgres', () => {
  /** Sessions of different processes, as far as the server can tell. */
  const openSessions = async (): Promise<readonly [Database, Database, Database]> => {
    const { url, drop } = await createTestDatabase();
    const open = () => openDatabase({ kind: 'postgres', connectionString: url });
    const sessions = [await open(), await open(), await open()] as const;
    onTestFinished(async () => {
      for (const session of sessions) await closeDatabase(session);
      await drop();
    });
    await migrateUp(sessions[0]);
    return sessions;
  };

  const gated = () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    let runs = 0;
    const up = async (db: Kysely<unknown>) => {
      runs++;
      enter();
      await opened;
      await sql`create table made_once (id int)`.execute(db);
    };
    return { up, open, entered, runs: () => runs };
  };

  it('apply each migration once: the second waits, says for whom, and finds nothing to do', async () => {
    const [first, second] = await openSessions();
    const gate = gated();
    const migrations = listOf({ [NEXT]: { up: gate.up } });
    const winner = migrateUp(first, { migrations });
    await gate.entered;
    const holders: string[] = [];
    const { promise: waiting, resolve: isWaiting } = Promise.withResolvers<void>();
    const onWait = (holder: string) => {
      holders.push(holder);
      isWaiting();
    };
    const loser = migrateUp(second, { migrations, onWait });
    await waiting;
    gate.open();
    expect(await Promise.all([winner, loser])).toEqual([[NEXT], []]);
    expect(gate.runs()).toBe(1);
    expect(holders).toEqual([expect.stringContaining(`tollgate migrations, process ${process.pid} on `)]);
  });

  it('end with a message that names the other one when that takes too long', async () => {
    const [first, second] = await openSessions();
    const gate = gated();
    const migrations = listOf({ [NEXT]: { up: gate.up } });
    const winner = migrateUp(first, { migrations });
    await gate.entered;
    const late = migrateFinish(second, { waitMs: 300 });
    await expect(late).rejects.toThrow(
      /^another run of migrations has not ended \(tollgate migrations, process \d+ on .+, Postgres session \d+\)$/,
    );
    await expect(late).rejects.toBeInstanceOf(MigrationLockError);
    gate.open();
    await winner;
  });

  it('do not stand in each other’s way once the first has been killed', async () => {
    const [first, second, third] = await openSessions();
    const gate = gated();
    const migrations = listOf({ [NEXT]: { up: gate.up } });
    const killed = migrateUp(first, { migrations }).catch((error: unknown) => error);
    await gate.entered;
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'tollgate migrations%'`.execute(
      third.kysely,
    );
    gate.open();
    expect(await killed).toBeInstanceOf(StoreUnavailableError);
    expect(await migrateUp(second, { migrations })).toEqual([NEXT]);
  });

  it('leave the connection to the store as it was', async () => {
    const [first] = await openSessions();
    const settings = () =>
      sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('application_name') as title`.execute(first.kysely);
    const before = (await settings()).rows;
    await withMigrationLock(first, {}, async () => {});
    expect((await settings()).rows).toEqual(before);
  });
});

describe('a migration that has to wait for a query', () => {
  it('lets other queries pass, and goes on when the query has ended', async () => {
    const { url, drop } = await createTestDatabase();
    const [migrating, reading, serving] = [
      await openDatabase({ kind: 'postgres', connectionString: url }),
      await openDatabase({ kind: 'postgres', connectionString: url }),
      await openDatabase({ kind: 'postgres', connectionString: url }),
    ];
    onTestFinished(async () => {
      for (const database of [migrating, reading, serving]) await closeDatabase(database);
      await drop();
    });
    await migrateUp(migrating);
    const migrations = listOf({ [NEXT]: renameColumn });

    let run: Promise<readonly string[]> | undefined;
    await reading.kysely.transaction().execute(async (transaction) => {
      await sql`select * from services`.execute(transaction);
      await expect(migrateUp(migrating, { migrations, waitMs: 1 })).rejects.toThrow(
        `the migration ${NEXT} cannot get at a table`,
      );
      run = migrateUp(migrating, { migrations });
      // Behind a change that waits without end these would fail at the limit of a statement, five seconds.
      for (let count = 0; count < 5; count++) {
        await sql`select * from services`.execute(serving.kysely);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    });
    expect(await run).toEqual([NEXT]);
  });
});
