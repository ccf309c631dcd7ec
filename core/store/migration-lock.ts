/** One run of migrations at a time on a database, whoever starts it and from where. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from './database.ts';

/** Two numbers that nothing else in the database locks: 'toll' and 'gate' in ASCII. */
const LOCK_CLASS = 0x746f6c6c;
const LOCK_OBJECT = 0x67617465;
const POLL_MS = 100;
const DEFAULT_WAIT_MS = 60_000;
/**
 * A change of a table that waits behind a long query makes everybody else wait behind itself. So it gives up after
 * this time, which the queries of serving nodes survive, and is tried again.
 */
const TABLE_LOCK_MS = 1000;

export interface MigrationWaits {
  /** How long another run, or a query in the way of a change, is waited for. Default 60000. */
  readonly waitMs?: number | undefined;
  /** Called once when another run is under way; `holder` says where, in words. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** What was waited for did not come in time; the message says who is in the way. */
export class MigrationLockError extends Error {
  override readonly name = 'MigrationLockError';
}

/**
 * Does the work on one connection while no other process can. The lock belongs to the connection, so a process that is
 * killed leaves none behind. Throws MigrationLockError when another run does not end in time.
 */
export async function withMigrationLock<Result>(
  { kysely }: Database,
  waits: MigrationWaits,
  work: (connection: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  return kysely.connection().execute(async (connection) => {
    const title = `tollgate migrations, process ${process.pid} on ${hostname()}`;
    try {
      await sql`select set_config('statement_timeout', '0', false),
        set_config('lock_timeout', ${String(TABLE_LOCK_MS)}, false),
        set_config('application_name', ${title}, false)`.execute(connection);
      await takeLock(connection, waits);
      try {
        return await work(connection);
      } finally {
        await settle(sql`select pg_advisory_unlock(${LOCK_CLASS}::int, ${LOCK_OBJECT}::int)`, connection);
      }
    } finally {
      for (const name of ['statement_timeout', 'lock_timeout', 'application_name']) {
        await settle(sql`reset ${sql.ref(name)}`, connection);
      }
    }
  });
}

/** Tries again while queries of others hold what a change needs. Throws MigrationLockError when they do not let go. */
export async function retryWhileBlocked<Result>(
  waits: MigrationWaits,
  change: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const deadlineMs = Date.now() + (waits.waitMs ?? DEFAULT_WAIT_MS);
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if ((error as { code?: unknown }).code !== '55P03') throw error;
      if (Date.now() > deadlineMs) throw new MigrationLockError(blockedText(change), { cause: error });
      await delay(POLL_MS);
    }
  }
}

async function takeLock(connection: Kysely<Tables>, { waitMs, onWait }: MigrationWaits): Promise<void> {
  const deadlineMs = Date.now() + (waitMs ?? DEFAULT_WAIT_MS);
  for (let hasTold = false; ; hasTold = true) {
    const { rows } = await sql<{ taken: boolean }>`
      select pg_try_advisory_lock(${LOCK_CLASS}::int, ${LOCK_OBJECT}::int) as taken`.execute(connection);
    if (rows[0]?.taken) return;
    const isOver = Date.now() > deadlineMs;
    if (isOver || !hasTold) {
      const holder = await describeHolder(connection);
      if (isOver) throw new MigrationLockError(`another run of migrations has not ended (${holder})`);
      onWait?.(holder);
    }
    await delay(POLL_MS);
  }
}

async function describeHolder(connection: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ title: string; address: string | null; pid: number }>`
    select activity.application_name as title, host(activity.client_addr) as address, activity.pid
    from pg_locks lock join pg_stat_activity activity on activity.pid = lock.pid
    where lock.locktype = 'advisory' and lock.granted and lock.classid = ${LOCK_CLASS}
      and lock.objid = ${LOCK_OBJECT} and activity.datname = current_database()`.execute(connection);
  const [holder] = rows;
  if (holder === undefined) return 'it ended just now';
  const origin = holder.address === null ? '' : ` from ${holder.address}`;
  return `${holder.title || 'a session without a name'}${origin}, Postgres session ${holder.pid}`;
}

function blockedText(change: string): string {
  return `${change} cannot get at a table: a query or an open transaction of another session holds it (see pg_stat_activity)`;
}

/** On a connection that is gone there is nothing to put back, and the failure that ended it is the one to report. */
async function settle(statement: ReturnType<typeof sql>, connection: Kysely<Tables>): Promise<void> {
  await statement.execute(connection).catch(() => {});
}
