/** A node goes on while the next version's migrations run on its database, and the command behaves on a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { closeDatabase, type Database, openDatabase } from '../../core/store/database.ts';
import { MIGRATIONS, type MigrationList } from '../../core/store/migration-list.ts';
import { withMigrationLock } from '../../core/store/migration-lock.ts';
import { migrateFinish, migrateUp } from '../../core/store/migrator.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Run {
  readonly ended: Promise<Ended>;
  /** What it has written to standard error so far. */
  stderr(): string;
}

function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr })),
  );
  return { ended, stderr: () => stderr };
}

/** The next version: adds to tables in use, moves a column in two phases, and takes its time within a transaction. */
const NEXT: MigrationList = {
  ...MIGRATIONS,
  '9000_next': {
    up: async (db) => {
      for (const table of ['services', 'routes', 'consumers', 'plugins', 'keyauth_credentials']) {
        await sql`alter table ${sql.table(table)} add column title text default 'untitled'`.execute(db);
      }
      await sql`create table partials (id uuid primary key, config text)`.execute(db);
      await sql`select pg_sleep(0.5)`.execute(db);
    },
  },
  '9001_then': {
    up: async (db) => {
      await sql`create index routes_title_idx on routes (title)`.execute(db);
      await sql`select pg_sleep(0.5)`.execute(db);
    },
    finish: async (db) => {
      await sql`drop index routes_title_idx`.execute(db);
    },
  },
};

describe('a node of the version before', () => {
  let proxy: ProxyUnderTest;
  let testDatabase: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await openDatabase({ kind: 'postgres', connectionString: testDatabase.url });
    proxy = await startProxy({ DATABASE_URL: testDatabase.url, TOLLGATE_WORKERS: '2' });
  });
  afterAll(async () => {
    await proxy?.stop();
    if (database !== undefined) await closeDatabase(database);
    await testDatabase?.drop();
  });

  /** Does it over and over, at least once, and resolves to how often. */
  async function repeat(isOver: () => boolean, act: () => Promise<void>): Promise<number> {
    for (let count = 1; ; count++) {
      await act();
      if (isOver()) return count;
    }
  }

  async function writeAndUse(): Promise<void> {
    const { host } = await proxy.expose();
    await proxy.echo(host);
    expect(await proxy.admin('GET', `/routes?size=1`)).toMatchObject({ status: 200 });
  }

  it('serves traffic and Admin writes while the next version’s `up` runs, and after it', async () => {
    const { host } = await proxy.expose();
    let isUp = false;
    const [names, requests, writes] = await Promise.all([
      migrateUp(database, { migrations: NEXT }).finally(() => {
        isUp = true;
      }),
      repeat(
        () => isUp,
        async () => void (await proxy.echo(host)),
      ),
      repeat(() => isUp, writeAndUse),
    ]);
    expect(names).toEqual(['9000_next', '9001_then']);
    expect(requests).toBeGreaterThan(writes);
    for (let count = 0; count < 5; count++) await writeAndUse();
  });

  it('is not started again on that database, and says why', async () => {
    const { exitCode, stderr } = await runCli(['start'], {
      DATABASE_URL: testDatabase.url,
      TOLLGATE_PROXY_LISTEN: 'off',
      TOLLGATE_ADMIN_LISTEN: 'off',
      TOLLGATE_STATUS_LISTEN: 'off',
    }).ended;
    expect([exitCode, stderr]).toEqual([
      1,
      'tollgate: the database was migrated by a newer version (9000_next, 9001_then): run that version or a later one\n',
    ]);
  });

  it('cannot undo or finish what it does not know', async () => {
    for (const action of ['up', 'finish']) {
      const { exitCode, stdout, stderr } = await runCli(['migrations', action], {
        DATABASE_URL: testDatabase.url,
      }).ended;
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toContain('was migrated by a newer version');
    }
    const status = await runCli(['migrations', 'status'], { DATABASE_URL: testDatabase.url }).ended;
    expect(status.stdout).toMatch(/^9000_next: done by a newer version$/m);
    expect(await migrateFinish(database, { migrations: NEXT })).toEqual(['9001_then']);
  });
});

describe('tollgate migrations', () => {
  async function emptyDatabase(): Promise<string> {
    const { url, drop } = await createTestDatabase();
    onTestFinished(drop);
    return url;
  }

  it('run by two operators at once does everything once', async () => {
    const env = { DATABASE_URL: await emptyDatabase() };
    const ends = await Promise.all([
      runCli(['migrations', 'up'], env).ended,
      runCli(['migrations', 'up'], env).ended,
      runCli(['migrations', 'bootstrap'], env).ended,
    ]);
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    const lines = ends.flatMap(({ stdout }) => stdout.trimEnd().split('\n'));
    expect(lines.filter((line) => line !== 'nothing to do').toSorted()).toEqual(
      Object.keys(MIGRATIONS).map((name) => `${name}: done`),
    );
  });

  it('says whom it waits for', async () => {
    const url = await emptyDatabase();
    const database = await openDatabase({ kind: 'postgres', connectionString: url });
    onTestFinished(() => closeDatabase(database));
    const waiting = await withMigrationLock(database, {}, async () => {
      const run = runCli(['migrations', 'up'], { DATABASE_URL: url });
      while (!run.stderr().includes('\n')) await new Promise((resolve) => setTimeout(resolve, 50));
      return run;
    });
    const { exitCode, stdout, stderr } = await waiting.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('0001_core_entities: done');
    expect(stderr).toMatch(
      new RegExp(
        `^tollgate: waiting for another run of migrations \\(tollgate migrations, process ${process.pid} on `,
      ),
    );
  });

  it('finish has nothing to do behind a bootstrap, and asks for it on an empty database', async () => {
    const env = { DATABASE_URL: await emptyDatabase() };
    const early = await runCli(['migrations', 'finish'], env).ended;
    expect([early.exitCode, early.stderr]).toEqual([
      1,
      "tollgate: the database has no schema yet: run 'tollgate migrations bootstrap' first\n",
    ]);
    await runCli(['migrations', 'bootstrap'], env).ended;
    expect(await runCli(['migrations', 'finish'], env).ended).toEqual({
      exitCode: 0,
      stdout: 'nothing to do\n',
      stderr: '',
    });
  });
});
