/** Counters in the database, on each kind of it. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterCounters, createClusterCounters } from '../../../core/counters/cluster-counters.ts';
import { createCounterTable } from '../../../core/store/counter-table.ts';
import { closeDatabase, type Database, openDatabase } from '../../../core/store/database.ts';
import { migrateUp } from '../../../core/store/migrator.ts';
import { createTestDatabase } from '../../support/test-database.ts';
import { DATABASE_KINDS, type TestDatabase } from '../store-databases.ts';

const SILENT = { onLost: () => {}, onRecovered: () => {} };
const countersOn = (database: Database) => createClusterCounters(createCounterTable(database), SILENT);
const windowOf = (key: string, limit: number, seconds = 3600) => ({
  key,
  limit,
  expiresAtMs: Date.now() + seconds * 1000,
});
const takeOne = async (
  counters: ClusterCounters,
  windows: readonly ReturnType<typeof windowOf>[],
  cost = 1,
) => (await counters.takeAll([{ windows, cost }]))[0];

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`counters on ${kind}`, () => {
    let test: TestDatabase;
    let counters: ClusterCounters;
    beforeAll(async () => {
      test = await open();
      await migrateUp(test.database);
      counters = countersOn(test.database);
    });
    afterAll(async () => {
      counters?.close();
      await test?.dispose();
    });

    it('tell the use before each call and count exactly up to the limit', async () => {
      const uses = await counters.takeAll(
        Array.from({ length: 6 }, () => ({ windows: [windowOf('up to 4', 4)], cost: 1 })),
      );
      expect(uses).toEqual([[0], [1], [2], [3], [4], [4]]);
      expect(await takeOne(counters, [windowOf('up to 4', 4)])).toEqual([4]);
    });

    it('count in every window or, when one is full, in none', async () => {
      const windows = [windowOf('short', 2), windowOf('long', 9)];
      const uses = [];
      for (let sent = 0; sent < 4; sent++) uses.push(await takeOne(counters, windows));
      expect(uses).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
        [2, 2],
      ]);
    });

    it('count more than one, and tell without counting', async () => {
      expect(await takeOne(counters, [windowOf('seven', 9)], 7)).toEqual([0]);
      expect(await takeOne(counters, [windowOf('seven', 9)], 0)).toEqual([7]);
      expect(await takeOne(counters, [windowOf('seven', 9)], 0)).toEqual([7]);
    });

    it('lie in the columns of the contract', async () => {
      const [route, service] = [
        '11111111-1111-4111-8111-111111111111',
        '22222222-2222-4222-8222-222222222222',
      ];
      await takeOne(counters, [windowOf(`ratelimit:${route}:${service}:somebody:1700000000000:hour`, 9)], 3);
      const { rows } = await sql`select identifier, period, extract(epoch from period_date)::int as started,
        service_id::text, route_id::text, value::int, ttl > now() + interval '3500 s' as lives
        from ratelimiting_metrics where identifier = 'somebody'`.execute(test.database.kysely);
      expect(rows).toEqual([
        {
          identifier: 'somebody',
          period: 'hour',
          started: 1_700_000_000,
          service_id: service,
          route_id: route,
          value: 3,
          lives: true,
        },
      ]);
    });

    it('begin again once they have ended, before and after they are removed', async () => {
      const end = () =>
        sql`update ratelimiting_metrics set ttl = now() - interval '1 s' where identifier = 'ending'`.execute(
          test.database.kysely,
        );
      expect(await takeOne(counters, [windowOf('ending', 9)], 5)).toEqual([0]);
      await end();
      expect(await takeOne(counters, [windowOf('ending', 9)], 2)).toEqual([0]);
      expect(await takeOne(counters, [windowOf('ending', 9)])).toEqual([2]);
      await end();
      expect(await createCounterTable(test.database).purgeExpired()).toBeGreaterThanOrEqual(1);
      expect(await takeOne(counters, [windowOf('ending', 9)])).toEqual([0]);
    });

    it('bear whatever a plugin asks for, and harm nobody else who counts at the same time', async () => {
      const uuid = '11111111-1111-4111-8111-111111111111';
      const hostile = [
        { key: '', limit: 5, expiresAtMs: 0 },
        { key: 'a\0b', limit: 5, expiresAtMs: Number.MAX_VALUE },
        { key: '\ud800', limit: 5, expiresAtMs: -Number.MAX_VALUE },
        { key: '\u{1f600}'.repeat(512), limit: 5, expiresAtMs: 1e15 },
        { key: '\0'.repeat(1024), limit: 5, expiresAtMs: 1e300 },
        { key: `ratelimit:${uuid}:${uuid}:a:999999999999999:hour`, limit: 5, expiresAtMs: 1 },
        { key: `ratelimit:${uuid}:${uuid}:a:0007:hour`, limit: 5, expiresAtMs: 1 },
        { key: `ratelimit:${uuid}:${uuid}:a:7:hour`, limit: 5, expiresAtMs: 1 },
        { key: "'; drop table ratelimiting_metrics; --", limit: 5, expiresAtMs: 1e13 },
        { key: 'huge', limit: Number.MAX_VALUE, expiresAtMs: 1e13 },
        { key: 'nothing', limit: -1, expiresAtMs: 1e13 },
      ];
      const takes = hostile.map((window) => ({ windows: [window], cost: 1_000_000_000 }));
      const uses = await counters.takeAll([...takes, { windows: [windowOf('innocent', 5)], cost: 1 }]);
      expect(uses).toEqual([...takes.map(() => [0]), [0]]);
      expect(await takeOne(counters, [hostile[0] as (typeof hostile)[0]])).toEqual([1_000_000_000]);
      // The same window twice in one call, and the same call many times.
      expect(await takeOne(counters, [windowOf('twice', 9), windowOf('twice', 9)])).toEqual([0, 0]);
    });
  });
}

describe('counters of several nodes on Postgres', () => {
  it('are exact, and never stand in each other’s way', async () => {
    const { url, drop } = await createTestDatabase();
    const databases = await Promise.all(
      [1, 2, 3].map(() => openDatabase({ kind: 'postgres', connectionString: url })),
    );
    await migrateUp(databases[0] as Database);
    const nodes = databases.map(countersOn);
    // Each window is named in both orders and begins while others count in it.
    const order = (at: number) => (at % 2 === 0 ? ['x', 'y', 'z'] : ['z', 'y', 'x']);
    const uses = await Promise.all(
      Array.from({ length: 900 }, async (_, at) => {
        await new Promise((resolve) => setTimeout(resolve, at % 50));
        const windows = order(at).map((name) => windowOf(`${name}${at % 5}`, 100));
        return takeOne(nodes[at % 3] as ClusterCounters, windows);
      }),
    );
    expect(uses.filter((used) => used?.every((value) => value < 100))).toHaveLength(500);
    for (const node of nodes) node.close();
    await Promise.all(databases.map(closeDatabase));
    await drop();
  });
});
