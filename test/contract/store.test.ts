import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completeForInsert } from '../../core/entities/complete-entity.ts';
import { consumers } from '../../core/entities/consumers.ts';
import type { EntityDefinition, EntityRow } from '../../core/entities/define-entity.ts';
import { keyauthCredentials } from '../../core/entities/keyauth-credentials.ts';
import type { PluginSchemas } from '../../core/entities/plugin-schemas.ts';
import { pluginEntity } from '../../core/entities/plugins.ts';
import { routes } from '../../core/entities/routes.ts';
import { services } from '../../core/entities/services.ts';
import { createEntityStore, type ExpiringEntityStore } from '../../core/store/create-entity-store.ts';
import { openDatabase } from '../../core/store/database.ts';
import type { EntityError } from '../../core/store/entity-error.ts';
import { StoreUnavailableError } from '../../core/store/entity-error.ts';
import { migrateUp } from '../../core/store/migrator.ts';
import { s } from '../../sdk/schema/index.ts';
import { DATABASE_KINDS, type TestDatabase } from './store-databases.ts';

const NOW_SECONDS = 1_700_000_000;
const schemas: PluginSchemas = {
  get: (name) => ({ name, configSchema: s.config({ limits: s.map(s.string(), s.number()) }) }),
  names: () => ['cors'],
};
const plugins = pluginEntity(schemas);
const entities = [services, routes, consumers, plugins, keyauthCredentials];

const make = (entity: EntityDefinition, input: Record<string, unknown>): EntityRow =>
  completeForInsert(entity, input, NOW_SECONDS);

async function refusal(work: Promise<unknown>): Promise<Partial<EntityError>> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as EntityError,
  );
  return { code: error?.code, message: error?.message, fields: error?.fields } as Partial<EntityError>;
}

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`the entity store on ${kind}`, () => specifyStore(open));
}

function specifyStore(open: () => Promise<TestDatabase>) {
  let test: TestDatabase;
  let store: ExpiringEntityStore;

  beforeAll(async () => {
    test = await open();
    await migrateUp(test.database);
    store = createEntityStore(test.database, entities);
  }, 60_000);
  afterAll(() => test?.dispose(), 60_000);
  beforeEach(async () => {
    for (const entity of [...entities].reverse()) {
      for (const row of await store.all(entity)) await store.delete(entity, row.id);
    }
  });

  it('gives back exactly the row it was given', async () => {
    const service = make(services, { name: 'web', host: 'a.test', tags: ['b', 'a'], retries: null });
    expect(await store.insert(services, service)).toEqual(service);
    expect(await store.selectById(services, service.id)).toEqual(service);
    const route = make(routes, {
      name: 'all/of "it"',
      service: { id: service.id },
      paths: ['/a,b', '/{"x"}', '~/(?<n>\\d+)'],
      headers: { 'x-a': ['1', 'it\'s "2"'], 'x-b': [] },
      sources: [{ ip: '10.0.0.0/8', port: null }],
      regex_priority: 2 ** 53,
      methods: [],
    });
    expect(await store.insert(routes, route)).toEqual(route);
    const plugin = make(plugins, {
      name: 'cors',
      config: { limits: { minute: 0.5 } },
      route: { id: route.id },
    });
    expect(await store.insert(plugins, plugin)).toEqual(plugin);
    expect(await store.selectById(plugins, plugin.id)).toEqual(plugin);
  });

  it('finds rows by unique fields, and nothing for what is no id', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob', custom_id: '7' }));
    expect(await store.selectByUnique(consumers, 'username', 'bob')).toEqual(bob);
    expect(await store.selectByUnique(consumers, 'custom_id', '7')).toEqual(bob);
    expect(await store.selectByUnique(consumers, 'username', "bob' or '1'='1")).toBeUndefined();
    expect(await store.selectByUnique(consumers, 'username', 'bo\0b')).toBeUndefined();
    expect(await store.selectById(consumers, 'bob')).toBeUndefined();
    expect(await store.selectById(consumers, randomUUID())).toBeUndefined();
  });

  it('refuses a unique value twice', async () => {
    await store.insert(services, make(services, { name: 'web', host: 'a.test' }));
    expect(await refusal(store.insert(services, make(services, { name: 'web', host: 'b.test' })))).toEqual({
      code: 5,
      message: `UNIQUE violation detected on '{name="web"}'`,
      fields: { name: 'web' },
    });
  });

  it('refuses an id twice, and says so of a unique value first', async () => {
    const row = await store.insert(services, make(services, { name: 'web', host: 'a.test' }));
    expect(await refusal(store.insert(services, { ...row, name: 'other' }))).toEqual({
      code: 3,
      message: `primary key violation on key '{id="${row.id}"}'`,
      fields: { id: row.id },
    });
    expect(await refusal(store.insert(services, row))).toMatchObject({ code: 5 });
  });

  it('takes null for a value where several fields are unique together', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
    const onBob = { name: 'cors', consumer: { id: bob.id } };
    await store.insert(plugins, make(plugins, { name: 'cors' }));
    await store.insert(plugins, make(plugins, onBob));
    expect(await refusal(store.insert(plugins, make(plugins, onBob)))).toEqual({
      code: 5,
      message: `UNIQUE violation detected on '{consumer={id="${bob.id}"},name="cors",route=null,service=null}'`,
      fields: { name: 'cors', consumer: { id: bob.id }, route: null, service: null },
    });
    expect(await refusal(store.insert(plugins, make(plugins, { name: 'cors' })))).toMatchObject({ code: 5 });
  });

  it.each([
    ['username', 3_000],
    ['username', 20_000],
    ['custom_id', 3_000],
  ])('refuses a %s of %i characters, which no index can hold', async (field, length) => {
    // Random text, since a database compresses what repeats itself.
    const long = randomBytes(length).toString('hex').slice(0, length);
    const expected = {
      code: 2,
      message: `schema violation (${field}: value is too long to be indexed)`,
      fields: { [field]: 'value is too long to be indexed' },
    };
    const named = { username: 'bob', [field]: long };
    expect(await refusal(store.insert(consumers, make(consumers, named)))).toEqual(expected);
    const bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
    expect(await refusal(store.update(consumers, { ...bob, [field]: long }))).toEqual(expected);
  });

  it('refuses a tag that no index can hold', async () => {
    const tags = ['short', randomBytes(4_000).toString('hex')];
    expect(await refusal(store.insert(consumers, make(consumers, { username: 'bob', tags })))).toMatchObject({
      code: 2,
      fields: { tags: 'value is too long to be indexed' },
    });
  });

  it('refuses a reference to nothing', async () => {
    const id = randomUUID();
    const message = (entity: string) =>
      `the foreign key '{id="${id}"}' does not reference an existing '${entity}' entity.`;
    expect(await refusal(store.insert(routes, make(routes, { paths: ['/'], service: { id } })))).toEqual({
      code: 4,
      message: message('services'),
      fields: { service: { id } },
    });
    const secured = make(services, { host: 'a.test', protocol: 'https', client_certificate: { id } });
    expect(await refusal(store.insert(services, secured))).toEqual({
      code: 4,
      message: message('certificates'),
      fields: { client_certificate: { id } },
    });
  });

  it('keeps a service while routes refer to it, and deletes its plugins with it', async () => {
    const service = await store.insert(services, make(services, { host: 'a.test' }));
    const reference = { service: { id: service.id } };
    const route = await store.insert(routes, make(routes, { paths: ['/'], ...reference }));
    const plugin = await store.insert(plugins, make(plugins, { name: 'cors', ...reference }));
    expect(await refusal(store.delete(services, service.id))).toEqual({
      code: 4,
      message: "an existing 'routes' entity references this 'services' entity",
      fields: { '@referenced_by': 'routes' },
    });
    expect(await store.delete(routes, route.id)).toBe(true);
    expect(await store.delete(services, service.id)).toBe(true);
    expect(await store.delete(services, service.id)).toBe(false);
    expect(await store.selectById(plugins, plugin.id)).toBeUndefined();
  });

  it('deletes credentials and plugins with their consumer', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
    const owner = { consumer: { id: bob.id } };
    const key = await store.insert(keyauthCredentials, make(keyauthCredentials, owner));
    const plugin = await store.insert(plugins, make(plugins, { name: 'cors', ...owner }));
    await store.delete(consumers, bob.id);
    expect(await store.selectById(keyauthCredentials, key.id)).toBeUndefined();
    expect(await store.selectById(plugins, plugin.id)).toBeUndefined();
  });

  it('replaces a whole row, and refuses one that is not there', async () => {
    const row = await store.insert(consumers, make(consumers, { username: 'bob', tags: ['a'] }));
    const changed = { ...row, username: 'rob', tags: null };
    expect(await store.update(consumers, changed)).toEqual(changed);
    const absent = make(consumers, { username: 'absent' });
    expect(await refusal(store.update(consumers, absent))).toEqual({
      code: 6,
      message: `could not find the entity with primary key '{id="${absent.id}"}'`,
      fields: { id: absent.id },
    });
    expect(await store.upsert(consumers, absent)).toEqual(absent);
    expect(await store.upsert(consumers, { ...absent, custom_id: '9' })).toMatchObject({ custom_id: '9' });
    expect(await refusal(store.upsert(consumers, { ...absent, username: 'rob' }))).toMatchObject({ code: 5 });
  });

  it('cuts a list into pages by ascending id', async () => {
    for (const username of ['a', 'b', 'c', 'd', 'e'])
      await store.insert(consumers, make(consumers, { username }));
    const all = await store.all(consumers);
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).sort());
    const first = await store.page(consumers, { size: 2 });
    expect(first.rows).toEqual(all.slice(0, 2));
    expect(first.offset).toBe(
      Buffer.from(JSON.stringify([all[1]?.id]))
        .toString('base64')
        .replace(/=+$/, ''),
    );
    const second = await store.page(consumers, { size: 3, offset: first.offset ?? '' });
    expect(second).toEqual({ rows: all.slice(2) });
  });

  it('refuses offsets it did not make', async () => {
    const refuse = async (offset: string) =>
      (await refusal(store.page(consumers, { size: 1, offset }))).message;
    expect(await refuse('x')).toBe("'x' is not a valid offset: bad base64 encoding");
    expect(await refuse('|!')).toBe("'|!' is not a valid offset: bad base64 encoding");
    expect(await refuse('aGVsbG8')).toBe("'aGVsbG8' is not a valid offset: bad json encoding");
    expect(await refuse('WyJ4Il0')).toBe("'WyJ4Il0' is not a valid offset: bad json encoding");
  });

  it('lists the children of one parent', async () => {
    const service = await store.insert(services, make(services, { host: 'a.test' }));
    const route = await store.insert(routes, make(routes, { paths: ['/'], service: { id: service.id } }));
    await store.insert(routes, make(routes, { paths: ['/'] }));
    const page = await store.page(routes, { size: 9, parent: { field: 'service', id: service.id } });
    expect(page.rows).toEqual([route]);
  });

  it('filters by all or any of several tags', async () => {
    const tagged = async (username: string, tags: string[]) =>
      store.insert(consumers, make(consumers, { username, tags }));
    const [a, ab] = [await tagged('a', ['a']), await tagged('ab', ['b', 'a'])];
    await tagged('c', ['c']);
    const ids = async (mode: 'and' | 'or', values: string[]) =>
      (await store.page(consumers, { size: 9, tags: { mode, values } })).rows.map(({ id }) => id);
    expect(await ids('and', ['a'])).toEqual([a.id, ab.id].sort());
    expect(await ids('and', ['a', 'b'])).toEqual([ab.id]);
    expect(await ids('or', ['b', 'x'])).toEqual([ab.id]);
    expect(await ids('or', ['b', 'x\0'])).toEqual([ab.id]);
    expect(await ids('and', ['b', '\ud800'])).toEqual([]);
  });

  it('lists the tags of all entities', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob', tags: ['x', 'y'] }));
    const key = { consumer: { id: bob.id }, tags: ['x'] };
    const credential = await store.insert(keyauthCredentials, make(keyauthCredentials, key));
    const expected = [
      { entity_name: 'consumers', entity_id: bob.id, tag: 'x' },
      { entity_name: 'consumers', entity_id: bob.id, tag: 'y' },
      { entity_name: 'keyauth_credentials', entity_id: credential.id, tag: 'x' },
    ].sort((left, right) => (left.entity_id + left.tag < right.entity_id + right.tag ? -1 : 1));
    const first = await store.tags({ size: 2 });
    const rest = await store.tags({ size: 2, offset: first.offset ?? '' });
    expect([...first.rows, ...rest.rows]).toEqual(expected);
    expect(rest.offset).toBeUndefined();
    expect((await store.tags({ size: 9, tag: 'y' })).rows).toEqual(expected.filter(({ tag }) => tag === 'y'));
    expect(await store.tags({ size: 9, tag: 'unknown' })).toEqual({ rows: [] });
    expect(await store.tags({ size: 9, tag: 'x\0' })).toEqual({ rows: [] });
  });

  it('shows the seconds a row has left, and null for ever', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
    const credential = () => make(keyauthCredentials, { consumer: { id: bob.id } });
    expect(await store.insert(keyauthCredentials, credential())).toMatchObject({ ttl: null });
    expect(await store.insert(keyauthCredentials, credential(), 0)).toMatchObject({ ttl: null });
    const row = await store.insert(keyauthCredentials, credential(), 1000);
    expect(row['ttl']).toBe(1000);
    const kept = await store.update(keyauthCredentials, { ...row, tags: ['a'] });
    expect(kept['ttl']).toBeGreaterThan(900);
    expect(await store.update(keyauthCredentials, row, 0)).toMatchObject({ ttl: null });
    await store.update(keyauthCredentials, row, 50);
    expect(await store.upsert(keyauthCredentials, row)).toMatchObject({ ttl: null });
  });

  it('hides an expired row everywhere, lets its key be used again, and purges it', async () => {
    const bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
    const owner = { consumer: { id: bob.id }, tags: ['t'] };
    const expire = async (key: string) => {
      const row = await store.insert(keyauthCredentials, make(keyauthCredentials, { ...owner, key }), 60);
      const changed = test.database.kysely.updateTable('keyauth_credentials').where('id', '=', row.id);
      await changed.set({ expires_at: new Date(Date.now() - 60_000) }).execute();
      return row;
    };
    const row = await expire('old');
    expect(await store.selectById(keyauthCredentials, row.id)).toBeUndefined();
    expect(await store.selectByUnique(keyauthCredentials, 'key', 'old')).toBeUndefined();
    expect(await store.all(keyauthCredentials)).toEqual([]);
    expect(await store.page(keyauthCredentials, { size: 9 })).toEqual({ rows: [] });
    expect(await store.tags({ size: 9 })).toEqual({ rows: [] });
    expect(await store.delete(keyauthCredentials, row.id)).toBe(false);
    expect(await refusal(store.update(keyauthCredentials, row))).toMatchObject({ code: 6 });
    await expire('older');
    await store.insert(keyauthCredentials, make(keyauthCredentials, { ...owner, key: 'older' }));
    await expire('oldest');
    expect(await store.purgeExpired()).toBe(1);
    expect(await store.purgeExpired()).toBe(0);
  });

  it('answers a ping', async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });
}

describe('a database that cannot be had', () => {
  it('is reported as such when no server listens', async () => {
    const database = await openDatabase({
      kind: 'postgres',
      connectionString: 'postgres://root@127.0.0.1:1/none',
    });
    const store = createEntityStore(database, entities);
    await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(store.all(services)).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(migrateUp(database)).rejects.toBeInstanceOf(StoreUnavailableError);
    await database.close();
  });

  it('is reported as such when a statement takes too long', async () => {
    const test = await DATABASE_KINDS.Postgres();
    await migrateUp(test.database);
    const { pool } = test.database as Extract<TestDatabase['database'], { kind: 'postgres' }>;
    const holder = await pool.connect();
    await holder.query('begin; lock table services');
    const impatient = await openDatabase({
      kind: 'postgres',
      connectionString: (pool.options as { connectionString: string }).connectionString,
      limits: { statementTimeoutMs: 50 },
    });
    await expect(createEntityStore(impatient, entities).all(services)).rejects.toBeInstanceOf(
      StoreUnavailableError,
    );
    await holder.query('rollback');
    holder.release();
    await impatient.close();
    await test.dispose();
  });
});
