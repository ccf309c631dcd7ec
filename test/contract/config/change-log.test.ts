/** The log of changes, as triggers write it and nodes read it, on every database. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EntityDefinition } from '../../../core/entities/define-entity.ts';
import { listEntities } from '../../../core/entities/registry.ts';
import { type LogExcerpt, type LogPosition, purgeChanges, readHead } from '../../../core/store/change-log.ts';
import {
  type ConfigurationReader,
  createConfigurationReader,
} from '../../../core/store/configuration-reader.ts';
import { createEntityStore } from '../../../core/store/create-entity-store.ts';
import { closeDatabase, openDatabase } from '../../../core/store/database.ts';
import { prepareSchema } from '../../../core/store/migrator.ts';
import { createTestDatabase } from '../../support/test-database.ts';
import { DATABASE_KINDS, type TestDatabase } from '../store-databases.ts';

const entities = listEntities({ get: () => undefined, names: () => [] });

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`the log of changes on ${kind}`, () => specifyLog(open));
}

function specifyLog(open: () => Promise<TestDatabase>) {
  let test: TestDatabase;
  let reader: ConfigurationReader;
  let start: LogPosition;
  beforeAll(async () => {
    test = await open();
    await prepareSchema(test.database);
    reader = createConfigurationReader(test.database, entities);
    start = await readHead(test.database.kysely);
  });
  afterAll(() => test?.dispose());
  afterEach(async () => {
    start = await readHead(test.database.kysely);
  });

  const execute = (statement: string) => sql.raw(statement).execute(test.database.kysely);

  const insertConsumer = async (username: string): Promise<string> => {
    const id = randomUUID();
    await execute(`insert into consumers (id, username) values ('${id}', '${username}')`);
    return id;
  };

  /** What has changed since the test began. */
  const read = async (): Promise<LogExcerpt> => {
    const reading = await reader.readChanges(start);
    if (reading === undefined) throw new Error('the log does not reach back');
    return reading;
  };

  it('begins at a position from which a node that has seen nothing reads on', () => {
    expect(start.sequence).toBe(0);
  });

  it('tells of rows made, changed and deleted, with their unique values before and after', async () => {
    const id = await insertConsumer('ann');
    await execute(`update consumers set username = 'ben', custom_id = '7' where id = '${id}'`);
    const { changes } = await read();
    expect(changes.map(({ operation, keys }) => [operation, [...keys].sort()])).toEqual([
      ['insert', ['username=ann']],
      ['update', ['custom_id=7', 'username=ann', 'username=ben']],
    ]);
    expect(changes.at(-1)?.row).toMatchObject({ id, username: 'ben', custom_id: '7' });
    await execute(`delete from consumers where id = '${id}'`);
    const last = await read();
    expect(last.changes.at(-1)).toMatchObject({ entity: 'consumers', operation: 'delete', id });
    expect(last.changes.map(({ row }) => row)).toEqual([undefined, undefined, undefined]);
  });

  it('reads rows as the store does, whatever their fields hold', async () => {
    const store = createEntityStore(test.database, entities);
    const definitionOf = (name: string) =>
      entities.find((entity) => entity.name === name) as EntityDefinition;
    const routes = definitionOf('routes');
    const keys = definitionOf('keyauth_credentials');
    const consumerId = await insertConsumer(randomUUID());
    const route = await store.insert(routes, {
      ...Object.fromEntries(Object.keys(routes.fields).map((name) => [name, null])),
      id: randomUUID(),
      created_at: 1_700_000_000,
      hosts: ['a.test', 'b "c"\\'],
      paths: [],
      headers: { 'x-a': ['1', '2'] },
      strip_path: true,
      regex_priority: 7,
      tags: ['ä', '{}'],
    });
    const key = await store.insert(
      keys,
      { id: randomUUID(), created_at: 1, consumer: { id: consumerId }, key: randomUUID(), tags: null },
      3600,
    );
    const { changes } = await read();
    expect(changes.at(-2)?.row).toEqual(route);
    expect(changes.at(-1)?.row).toEqual({ ...key, ttl: expect.any(Number) });
    await execute(`update keyauth_credentials set expires_at = now() where id = '${key.id}'`);
    expect((await read()).changes.at(-1)?.row).toBeUndefined();
  });

  it('tells of what is deleted in cascade', async () => {
    const id = await insertConsumer(randomUUID());
    await execute(`insert into keyauth_credentials (id, consumer_id, key)
      values ('${randomUUID()}', '${id}', 'k1'), ('${randomUUID()}', '${id}', 'k2')`);
    await execute(
      `insert into plugins (id, name, consumer_id) values ('${randomUUID()}', 'key-auth', '${id}')`,
    );
    const { position } = await read();
    await execute(`delete from consumers where id = '${id}'`);
    const after = await reader.readChanges(position);
    expect(
      after?.changes.map(({ entity, operation, keys }) => [entity, operation, ...keys].slice(0, 3)).sort(),
    ).toEqual([
      ['consumers', 'delete', expect.stringContaining('username=')],
      ['keyauth_credentials', 'delete', 'key=k1'],
      ['keyauth_credentials', 'delete', 'key=k2'],
      ['plugins', 'delete'],
    ]);
  });

  it('tells nothing of what was rolled back, and nothing of statements that changed nothing', async () => {
    await expect(
      test.database.kysely.transaction().execute(async (transaction) => {
        await sql`insert into consumers (id, username) values (${randomUUID()}, 'ghost')`.execute(
          transaction,
        );
        throw new Error('never mind');
      }),
    ).rejects.toThrow('never mind');
    await execute(`update consumers set username = 'x' where id = '${randomUUID()}'`);
    await execute(`delete from routes where id = '${randomUUID()}'`);
    expect((await read()).changes).toEqual([]);
  });

  it('tells of values with quotes, equals signs and line feeds as they are', async () => {
    const username = `o'neil = "x"\n\\`;
    await sql`insert into consumers (id, username) values (${randomUUID()}, ${username})`.execute(
      test.database.kysely,
    );
    expect((await read()).changes[0]?.keys).toEqual([`username=${username}`]);
  });

  it('asks for everything to be read when a table was emptied at once', async () => {
    await execute('truncate keyauth_credentials');
    expect(await reader.readChanges(start)).toBeUndefined();
  });

  it('asks for everything to be read when the changes are too many', async () => {
    await execute(`insert into consumers (id, username)
      select gen_random_uuid(), 'many-' || number from generate_series(1, 2001) as number`);
    expect(await reader.readChanges(start)).toBeUndefined();
  });

  it('keeps the change a node may stand on when it forgets old ones', async () => {
    for (const name of ['p1', 'p2', 'p3']) await insertConsumer(name);
    const { position } = await read();
    await execute(`update changes set at = at - interval '2 hours'`);
    await purgeChanges(test.database.kysely, 3600);
    const head = await readHead(test.database.kysely);
    expect(head.sequence).toBe(position.sequence);
    expect((await reader.readChanges(head))?.changes).toEqual([]);
    await insertConsumer('p4');
    expect((await reader.readChanges(head))?.changes).toHaveLength(1);
    expect(await reader.readChanges(start)).toBeUndefined();
  });

  it('is not mistaken for the log of another database, or of this one before it was restored', async () => {
    await insertConsumer(randomUUID());
    const head = await readHead(test.database.kysely);
    expect(await reader.readChanges({ ...head, at: '2020-01-01 00:00:00+00' })).toBeUndefined();
    expect(await reader.readChanges({ ...head, sequence: head.sequence + 1000 })).toBeUndefined();
  });

  it('reads entities whole, the small ones first, as far as the bound allows', async () => {
    await execute('truncate consumers cascade');
    const [service] = entities;
    const bounded = entities.filter(({ name }) => ['consumers', 'keyauth_credentials'].includes(name));
    const ids = [await insertConsumer('a'), await insertConsumer('b'), await insertConsumer('c')];
    await execute(
      `insert into keyauth_credentials (id, consumer_id, key) values ('${randomUUID()}', '${ids[0]}', 'k')`,
    );
    const readAll = (maxRows: number, keptIds: readonly string[]) =>
      reader.readAll(service === undefined ? [] : [service], bounded, { maxRows, keptIds: () => keptIds });

    const all = await readAll(4, []);
    expect(all.complete).toEqual(new Set(['consumers', 'keyauth_credentials']));
    expect(all.position).toEqual(await readHead(test.database.kysely));

    const some = await readAll(3, [randomUUID(), ids[2] ?? '', ids[0] ?? '']);
    expect(some.complete).toEqual(new Set(['keyauth_credentials']));
    expect(some.rows.get('consumers')?.map(({ id }) => id)).toEqual([ids[2], ids[0]]);

    const none = await readAll(0, ids);
    expect(none.complete).toEqual(new Set());
    expect([...none.rows.values()].flat()).toEqual([]);
  });
}

describe('writers at the same time', () => {
  it('are numbered in the order of their commits, so that a reader never has to look back', async () => {
    const { url, drop } = await createTestDatabase();
    const database = await openDatabase({ kind: 'postgres', connectionString: url });
    const clients = Array.from({ length: 6 }, () => new Client(url));
    try {
      await prepareSchema(database);
      await Promise.all(clients.map((client) => client.connect()));
      const reader = createConfigurationReader(database, entities);
      let position = await readHead(database.kysely);
      const seen: string[] = [];
      const readOn = async () => {
        const reading = await reader.readChanges(position);
        if (reading === undefined) throw new Error('the log does not reach back');
        position = reading.position;
        seen.push(...reading.changes.map(({ keys }) => keys[0] ?? ''));
      };
      let isOver = false;
      const reading = (async () => {
        while (!isOver) await readOn();
      })();
      const written: string[] = [];
      await Promise.all(
        clients.map(async (client, writer) => {
          for (let round = 0; round < 20; round++) {
            const name = `w${writer}-${round}`;
            await client.query('begin');
            await client.query('insert into consumers (id, username) values ($1, $2)', [randomUUID(), name]);
            await new Promise((resolve) => setTimeout(resolve, (writer * 7 + round) % 5));
            const isKept = (writer + round) % 4 !== 0;
            await client.query(isKept ? 'commit' : 'rollback');
            if (isKept) written.push(`username=${name}`);
          }
        }),
      );
      isOver = true;
      await reading;
      await readOn();
      expect([...seen].sort()).toEqual([...written].sort());
    } finally {
      await Promise.all(clients.map((client) => client.end()));
      await closeDatabase(database);
      await drop();
    }
  });

  it('do not lock each other out when one deletes what the other is changing', async () => {
    const { url, drop } = await createTestDatabase();
    const database = await openDatabase({ kind: 'postgres', connectionString: url });
    const [one, two] = [new Client(url), new Client(url)];
    try {
      await prepareSchema(database);
      await Promise.all([one.connect(), two.connect()]);
      for (let round = 0; round < 20; round++) {
        const id = randomUUID();
        await one.query('insert into consumers (id, username) values ($1, $2)', [id, `c${round}`]);
        await one.query(
          `insert into plugins (id, name, consumer_id) select gen_random_uuid(), 'p', $1 from generate_series(1, 5)`,
          [id],
        );
        await one.query(
          `insert into keyauth_credentials (id, key, consumer_id)
            select gen_random_uuid(), $1 || number, $2 from generate_series(1, 5) as number`,
          [`k${round}-`, id],
        );
        const outcomes = await Promise.allSettled([
          one.query('delete from consumers where id = $1', [id]),
          two.query(`update keyauth_credentials set key = key || 'x' where consumer_id = $1`, [id]),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
      }
    } finally {
      await Promise.all([one.end(), two.end()]);
      await closeDatabase(database);
      await drop();
    }
  });
});
