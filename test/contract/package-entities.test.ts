/** Rows of entities that packages declare, as documents in a table they share, on both databases. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completeForInsert } from '../../core/entities/complete-entity.ts';
import { consumers } from '../../core/entities/consumers.ts';
import type { EntityDefinition, EntityRow } from '../../core/entities/define-entity.ts';
import { publishedEntity } from '../../core/entities/published-entity.ts';
import { services } from '../../core/entities/services.ts';
import { createConfigurationReader } from '../../core/store/configuration-reader.ts';
import { createEntityStore, type ExpiringEntityStore } from '../../core/store/create-entity-store.ts';
import { type EntityError, StaleEntityError } from '../../core/store/entity-error.ts';
import { migrateUp } from '../../core/store/migrator.ts';
import { ArrangementError, createPackageDocuments } from '../../core/store/package-arrangement.ts';
import { createPluginPackageTable, type StoredPackage } from '../../core/store/plugin-package-table.ts';
import type { FieldMap } from '../../sdk/schema/fields.ts';
import { s } from '../../sdk/schema/index.ts';
import { DATABASE_KINDS, type TestDatabase } from './store-databases.ts';

const FIELDS = {
  consumer: s.foreign('consumers', { required: true }),
  service: s.foreign('services'),
  key: s.string({ unique: true, auto: true }),
  code: s.string({ unique: true }),
  limit: s.integer({ default: 5 }),
};

const declare = (name: string, fields: FieldMap = FIELDS, revision = 1): EntityDefinition =>
  publishedEntity({
    name,
    adminApiName: name,
    adminApiNestedName: name,
    endpointKey: 'key',
    fields,
    checks: [],
    tags: true,
    ttl: true,
    generateAdminApi: true,
    revision,
  });

const things = declare('things');
const others = declare('others');
const entities = [services, consumers, things, others];
const PACKAGE: StoredPackage = {
  name: 'p',
  active_digest: 'd',
  previous_digest: null,
  percent: 100,
  on_error: 'fail',
  isolation: 'process',
};

const make = (entity: EntityDefinition, input: Record<string, unknown>): EntityRow =>
  completeForInsert(entity, input, 1_700_000_000);

async function refusal(work: Promise<unknown>): Promise<Partial<EntityError>> {
  const { code, message, fields } = await work.then(
    () => ({}) as EntityError,
    (error: EntityError) => error,
  );
  return { code, message, fields } as Partial<EntityError>;
}

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`rows of packages' entities on ${kind}`, () => specify(open));
}

function specify(open: () => Promise<TestDatabase>) {
  let test: TestDatabase;
  let store: ExpiringEntityStore;
  let bob: EntityRow;
  let table: ReturnType<typeof createPluginPackageTable>;
  const arrangement = (...definitions: EntityDefinition[]) => ({
    entities: definitions.map((definition) => ({ definition, rewritten: [] })),
    purge: false,
  });

  beforeAll(async () => {
    test = await open();
    await migrateUp(test.database);
    store = createEntityStore(test.database, entities);
    table = createPluginPackageTable(test.database);
    await table.add({ digest: 'd', package: 'p', version: '1', manifest: '{}', code: '', source_map: '' });
    expect(await table.replace(PACKAGE, undefined, arrangement(things, others))).toBe(true);
  }, 60_000);
  afterAll(() => test?.dispose(), 60_000);
  beforeEach(async () => {
    for (const entity of [...entities].reverse()) {
      for (const row of await store.all(entity)) await store.delete(entity, row.id);
    }
    bob = await store.insert(consumers, make(consumers, { username: 'bob' }));
  });
  const thing = (input: Record<string, unknown> = {}) => make(things, { consumer: { id: bob.id }, ...input });

  it('come back as they were given, by id, by unique values and as lists', async () => {
    const row = thing({ key: 'k', tags: ['a', 'b'], limit: 7 });
    expect(await store.insert(things, row)).toEqual({ ...row, ttl: null });
    const stored = { ...row, ttl: null };
    expect(await store.selectById(things, row.id)).toEqual(stored);
    expect(await store.selectByUnique(things, 'key', 'k')).toEqual(stored);
    expect(await store.selectByUnique(things, 'code', 'k')).toBeUndefined();
    expect(await store.selectById(others, row.id)).toBeUndefined();
    expect(await store.selectByUnique(others, 'key', 'k')).toBeUndefined();
    const parent = { field: 'consumer', id: bob.id };
    expect((await store.page(things, { size: 10, parent })).rows).toEqual([stored]);
    expect((await store.page(others, { size: 10 })).rows).toEqual([]);
    const tags = { mode: 'and', values: ['a', 'b'] } as const;
    expect((await store.page(things, { size: 10, tags })).rows).toEqual([stored]);
    expect((await store.tags({ size: 10, tag: 'a' })).rows).toEqual([
      { entity_name: 'things', entity_id: row.id, tag: 'a' },
    ]);
  });

  it('are cut into pages by id', async () => {
    for (let at = 0; at < 5; at++) await store.insert(things, thing());
    const ids: string[] = [];
    let offset: string | undefined;
    do {
      const page = await store.page(things, { size: 2, ...(offset !== undefined && { offset }) });
      ids.push(...page.rows.map(({ id }) => id));
      offset = page.offset;
    } while (offset !== undefined);
    expect(ids).toHaveLength(5);
    expect(ids).toEqual(ids.toSorted());
  });

  it('are unique where they have to be, within their entity', async () => {
    const first = await store.insert(things, thing({ key: 'k', code: 'c' }));
    expect(await refusal(store.insert(things, thing({ key: 'k' })))).toEqual({
      code: 5,
      message: `UNIQUE violation detected on '{key="k"}'`,
      fields: { key: 'k' },
    });
    expect(await refusal(store.insert(things, thing({ id: first.id, key: 'z' })))).toMatchObject({ code: 3 });
    expect(await refusal(store.insert(things, thing({ id: first.id, key: 'k' })))).toMatchObject({ code: 5 });
    await store.insert(others, { ...thing({ key: 'k' }) });
    const second = await store.insert(things, thing({ key: 'l' }));
    expect(await refusal(store.update(things, { ...second, code: 'c' }))).toMatchObject({
      code: 5,
      fields: { code: 'c' },
    });
    await store.update(things, { ...first, key: 'm' });
    await store.update(things, { ...second, key: 'k' });
    expect((await store.selectByUnique(things, 'key', 'k'))?.id).toBe(second.id);
    await store.upsert(things, thing({ id: first.id, key: 'n', code: 'c' }));
    expect((await store.selectByUnique(things, 'code', 'c'))?.id).toBe(first.id);
    await store.delete(things, second.id);
    await store.insert(things, thing({ key: 'k' }));
  });

  it('refer to what exists, and go with it', async () => {
    const nobody = 'aaaaaaaa-0000-4000-8000-000000000000';
    expect(await refusal(store.insert(things, thing({ consumer: { id: nobody } })))).toEqual({
      code: 4,
      message: `the foreign key '{id="${nobody}"}' does not reference an existing 'consumers' entity.`,
      fields: { consumer: { id: nobody } },
    });
    const row = await store.insert(things, thing({ key: 'k' }));
    await store.delete(consumers, bob.id);
    expect(await store.selectById(things, row.id)).toBeUndefined();
    const { rows } = await sql`select * from package_entity_keys`.execute(test.database.kysely);
    expect(rows).toEqual([]);
  });

  it('expire', async () => {
    const row = await store.insert(things, thing({ key: 'k' }), 100);
    expect(row['ttl']).toBe(100);
    await sql`update package_entities set expires_at = now() - interval '1 second'`.execute(
      test.database.kysely,
    );
    expect(await store.selectById(things, row.id)).toBeUndefined();
    expect(await store.selectByUnique(things, 'key', 'k')).toBeUndefined();
    await store.insert(others, { ...thing({ key: 'z' }) });
    await store.insert(things, thing({ key: 'k' }));
    expect(await store.all(others)).toHaveLength(1);
  });

  it('are logged as changes of their entity, cascades too, with the keys caches look them up by', async () => {
    const reader = createConfigurationReader(test.database, entities);
    const { position } = await reader.readAll([], [], { maxRows: 0, keptIds: () => [] });
    const row = await store.insert(things, thing({ key: 'k' }));
    await store.update(things, { ...row, key: 'l' });
    await store.delete(consumers, bob.id);
    const reading = await reader.readChanges(position);
    const parentKey = `consumer_id=${bob.id}`;
    expect(
      reading?.changes.map(({ keys, row: _row, ...rest }) => ({ ...rest, keys: keys.toSorted() })),
    ).toEqual(
      expect.arrayContaining([
        { entity: 'things', operation: 'insert', id: row.id, keys: [parentKey, 'key=k'] },
        { entity: 'things', operation: 'update', id: row.id, keys: [parentKey, 'key=k', 'key=l'] },
        { entity: 'things', operation: 'delete', id: row.id, keys: [parentKey, 'key=l'] },
      ]),
    );
    const kept = await store.insert(
      things,
      thing({ consumer: { id: (await store.insert(consumers, make(consumers, { username: 'al' }))).id } }),
    );
    const later = await reader.readChanges(reading?.position ?? position);
    expect(later?.changes.at(-1)?.row).toEqual(kept);
    expect(await reader.readByValues(things, 'key', ['nope', String(kept['key'])])).toEqual(
      new Map([[kept['key'], kept]]),
    );
  });

  it('are shown by another version of the package as it declares them, and keep what only others know', async () => {
    const row = await store.insert(things, thing({ key: 'k', limit: 9 }));
    const { limit: _limit, ...fewer } = FIELDS;
    const changed = declare('things', { ...fewer, colour: s.string({ default: 'red' }) });
    const shown = await store.selectById(changed, row.id);
    expect(shown).toMatchObject({ key: 'k', colour: 'red' });
    expect(shown).not.toHaveProperty('limit');
    await store.update(changed, { ...(shown as EntityRow), colour: 'blue' });
    expect(await store.selectById(things, row.id)).toMatchObject({ key: 'k', limit: 9 });
  });

  it('can only be written by the revision their entity has', async () => {
    const row = await store.insert(things, thing({ key: 'k' }));
    const next = declare('things', FIELDS, 2);
    await expect(store.insert(next, thing({ key: 'l' }))).rejects.toBeInstanceOf(StaleEntityError);
    const [stored] = await createPackageDocuments(test.database).read('things', undefined, 10);
    const rewrite = (before: Readonly<Record<string, unknown>>, purge = false) => ({
      entities: [
        { definition: next, rewritten: [{ row: { ...row, key: 'm' }, before }], rowCount: 1 },
        { definition: others, rewritten: [] },
      ],
      purge,
    });
    await expect(table.replace(PACKAGE, PACKAGE, rewrite({ key: 'x' }))).rejects.toMatchObject({
      kind: 'changed',
    });
    expect(await table.replace(PACKAGE, PACKAGE, rewrite(stored?.document ?? {}))).toBe(true);
    expect(await store.selectByUnique(next, 'key', 'm')).toMatchObject({ id: row.id });
    await expect(store.update(things, row)).rejects.toBeInstanceOf(StaleEntityError);
    await store.delete(next, row.id);
    expect(await table.replace(PACKAGE, PACKAGE, arrangement(things, others))).toBe(true);
  });

  it('belong to one package, and do not go with it by accident', async () => {
    const rival = { ...PACKAGE, name: 'rival' };
    const taken = table.replace(rival, undefined, arrangement(things));
    await expect(taken).rejects.toMatchObject({
      kind: 'conflict',
      message: 'the entity things belongs to another package',
    });
    expect((await table.list()).map(({ name }) => name)).toEqual(['p']);
    await store.insert(things, thing());
    await expect(table.remove('p', false)).rejects.toBeInstanceOf(ArrangementError);
    expect((await table.list()).map(({ name }) => name)).toEqual(['p']);
    await table.remove('p', true);
    expect(await store.all(things)).toEqual([]);
    await table.replace(PACKAGE, undefined, arrangement(things, others));
  });
}
