/** Counters in the table `ratelimiting_metrics`, on Postgres and on PGlite alike. */
import { type Kysely, sql } from 'kysely';
import { type CounterRow, counterRowOf } from './counter-key.ts';
import type { Database, Tables } from './database.ts';

export interface CountedWindow {
  readonly key: string;
  /** When the counter ends, in ms since the epoch. */
  readonly expiresAtMs: number;
}

export interface CounterTable {
  /**
   * In one transaction: hands `decide` the use of every window, by key, while nobody else can count in it, and adds
   * what that returns. Keys may not repeat. Rejects as the driver does.
   */
  count(
    windows: readonly CountedWindow[],
    decide: (used: ReadonlyMap<string, number>) => ReadonlyMap<string, number>,
  ): Promise<void>;
  /** Removes counters that have ended, and returns how many. */
  purgeExpired(): Promise<number>;
}

/** Windows known to have a row: most calls count in one that is there. */
const MAX_KNOWN = 20_000;

interface Located extends CountedWindow {
  readonly row: CounterRow;
}

export function createCounterTable({ kysely }: Database): CounterTable {
  const knownUntilMs = new Map<string, number>();

  const remember = (key: string, endsAtMs: number) => {
    if (knownUntilMs.size >= MAX_KNOWN) knownUntilMs.clear();
    knownUntilMs.set(key, endsAtMs);
  };

  /**
   * Rows are made in a statement of their own, and held afterwards in the order of their key, so that two nodes never
   * wait for each other. Undefined when a row has ended or gone in between.
   */
  const countOnce = (windows: readonly Located[], decide: Parameters<CounterTable['count']>[1]) =>
    kysely.transaction().execute(async (transaction) => {
      const held = await holdRows(transaction, windows);
      const used = new Map(held.map(({ at, value }) => [(windows[at] as Located).key, value]));
      if (used.size < windows.length) return windows.filter(({ key }) => !used.has(key));
      for (const { at, endsAtMs } of held) remember((windows[at] as Located).key, endsAtMs);
      const added = decide(used);
      if (added.size > 0)
        await addToRows(
          transaction,
          windows.filter(({ key }) => added.has(key)),
          added,
        );
      return [];
    });

  return {
    async count(windows, decide) {
      if (windows.length === 0) {
        await sql`select 1`.execute(kysely);
        decide(new Map());
        return;
      }
      const located = windows.map((window) => ({ ...window, row: counterRowOf(window.key) }));
      const nowMs = Date.now();
      let missing: readonly Located[] = located.filter(({ key }) => (knownUntilMs.get(key) ?? 0) <= nowMs);
      for (let attempt = 0; attempt < 3; attempt++) {
        if (missing.length > 0) await makeRows(kysely, missing);
        missing = await countOnce(located, decide);
        if (missing.length === 0) return;
        for (const { key } of missing) knownUntilMs.delete(key);
      }
      throw new Error('counters ended while they were counted in');
    },
    async purgeExpired() {
      const { numAffectedRows } = await sql`delete from ratelimiting_metrics where ttl <= now()`.execute(
        kysely,
      );
      return Number(numAffectedRows ?? 0);
    },
  };
}

/** New ones start at 0, as do those that have ended and were not removed yet. */
async function makeRows(kysely: Kysely<Tables>, windows: readonly Located[]): Promise<void> {
  await sql`
    insert into ratelimiting_metrics as counter
      (identifier, period, period_date, service_id, route_id, value, ttl)
    select identifier, period, period_date, service_id, route_id, 0, to_timestamp(ends_at)
    from ${given(windows)}
    order by identifier, period, period_date, service_id, route_id
    on conflict (identifier, period, period_date, service_id, route_id)
      do update set value = 0, ttl = excluded.ttl where counter.ttl <= now()`.execute(kysely);
}

async function holdRows(
  kysely: Kysely<Tables>,
  windows: readonly Located[],
): Promise<readonly { readonly at: number; readonly value: number; readonly endsAtMs: number }[]> {
  const { rows } = await sql<{ at: number; value: string; ends_at_ms: string }>`
    select given.at::int as at, counter.value::text as value,
      (extract(epoch from counter.ttl) * 1000)::bigint::text as ends_at_ms
    from ratelimiting_metrics counter join ${given(windows)} using
      (identifier, period, period_date, service_id, route_id)
    where counter.ttl > now()
    order by counter.identifier, counter.period, counter.period_date, counter.service_id, counter.route_id
    for update of counter`.execute(kysely);
  return rows.map(({ at, value, ends_at_ms }) => ({
    at: at - 1,
    value: Number(value),
    endsAtMs: Number(ends_at_ms),
  }));
}

async function addToRows(
  kysely: Kysely<Tables>,
  windows: readonly Located[],
  added: ReadonlyMap<string, number>,
): Promise<void> {
  const amounts = windows.map(({ key }) => added.get(key) ?? 0);
  await sql`
    update ratelimiting_metrics counter set value = counter.value + amount.value
    from ${given(windows)}
      join unnest(${amounts}::bigint[]) with ordinality as amount (value, at) on amount.at = given.at
    where counter.identifier = given.identifier and counter.period = given.period
      and counter.period_date = given.period_date and counter.service_id = given.service_id
      and counter.route_id = given.route_id`.execute(kysely);
}

/** The windows as a table `given`, numbered from 1 by `at`. */
function given(windows: readonly Located[]) {
  const rows = windows.map(({ row }) => row);
  return sql`(
    select identifier, period, to_timestamp(start_ms / 1000.0) as period_date, service_id, route_id,
      ends_at_ms / 1000.0 as ends_at, at
    from unnest(
      ${rows.map(({ identifier }) => identifier)}::text[],
      ${rows.map(({ period }) => period)}::text[],
      ${rows.map(({ periodDateMs }) => periodDateMs)}::double precision[],
      ${rows.map(({ serviceId }) => serviceId)}::uuid[],
      ${rows.map(({ routeId }) => routeId)}::uuid[],
      ${windows.map(({ expiresAtMs }) => expiresAtMs)}::double precision[]
    ) with ordinality as window_given (identifier, period, start_ms, service_id, route_id, ends_at_ms, at)
  ) as given`;
}
