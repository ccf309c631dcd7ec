import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listEntities } from '../../core/entities/registry.ts';
import { EXPIRY_COLUMN, listColumns, UNIQUE_TOGETHER_COLUMN } from '../../core/store/entity-columns.ts';
import { migrationStatus, SchemaVersionError } from '../../core/store/migration-status.ts';
import { assertKnownSchema, bootstrap, migrateUp } from '../../core/store/migrator.ts';
import { listUniques } from '../../core/store/translate-store-error.ts';
import { DATABASE_KINDS, type TestDatabase } from './store-databases.ts';

const ALL = [
  '0001_core_entities',
  '0002_key_auth_credentials',
  '0003_change_log',
  '0004_rate_limiting_metrics',
  '0005_acls',
  '0006_basic_auth_credentials',
  '0007_jwt_secrets',
  '0008_plugin_packages',
  '0009_upstreams',
  '0010_package_entities',
  '0011_plugin_isolation',
  '0012_certificates',
];
const entities = listEntities({ get: () => undefined, names: () => [] });

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`migrations on ${kind}`, () => specifyMigrations(open));
}

function specifyMigrations(open: () => Promise<TestDatabase>) {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test?.dispose());

  const problem = () =>
    assertKnownSchema(test.database).then(
      () => undefined,
      (error: unknown) => (error instanceof SchemaVersionError ? error.message : error),
    );

  it('are asked for when the database is empty', async () => {
    expect(await migrationStatus(test.database)).toEqual({
      executed: [],
      pending: ALL,
      awaitingFinish: [],
      unknown: [],
    });
    expect(await problem()).toBe("the database has no schema yet: run 'tollgate migrations bootstrap'");
  });

  it('run once, whoever starts them', async () => {
    const runs = await Promise.all([bootstrap(test.database), migrateUp(test.database)]);
    expect(runs.flat().sort()).toEqual(ALL);
    expect(await bootstrap(test.database)).toEqual([]);
    expect(await problem()).toBeUndefined();
  });

  it('make the columns the entities declare', async () => {
    for (const entity of entities) {
      const { rows } = await sql<{ column_name: string; data_type: string }>`
        select column_name, case when data_type = 'ARRAY' then 'text[]' else data_type end as data_type
        from information_schema.columns
        where table_schema = current_schema() and table_name = ${entity.name}`.execute(test.database.kysely);
      const expected = [
        ...listColumns(entity).map(({ column, type }) => [column, type]),
        ...(entity.uniqueTogether ? [[UNIQUE_TOGETHER_COLUMN, 'text']] : []),
        ...(entity.hasTtl ? [[EXPIRY_COLUMN, 'timestamp with time zone']] : []),
      ];
      expect(Object.fromEntries(rows.map((row) => [row.column_name, row.data_type]))).toEqual(
        Object.fromEntries(expected),
      );
    }
  });

  it('make the constraints that errors are told by', async () => {
    const { rows } = await sql<{ conname: string; confdeltype: string }>`
      select conname, confdeltype::text as confdeltype from pg_constraint where contype in ('u', 'f')`.execute(
      test.database.kysely,
    );
    const actions = new Map(rows.map(({ conname, confdeltype }) => [conname, confdeltype.trim()]));
    for (const entity of entities) {
      for (const { constraint } of listUniques(entity)) expect(actions.has(constraint)).toBe(true);
      for (const [name, field] of Object.entries(entity.fields)) {
        if (field.type !== 'foreign' || !entities.some((known) => known.name === field.reference)) continue;
        const expected = field.on_delete === 'cascade' ? 'c' : 'r';
        expect(actions.get(`${entity.name}_${name}_fkey`)).toBe(expected);
      }
    }
  });

  it('are refused on a database of a newer version', async () => {
    const { kysely } = test.database;
    await kysely.insertInto('schema_migrations').values({ name: '9999_future', timestamp: 'now' }).execute();
    const message =
      'the database was migrated by a newer version (9999_future): run that version or a later one';
    expect(await problem()).toBe(message);
    await expect(migrateUp(test.database)).rejects.toThrow(message);
    await kysely.deleteFrom('schema_migrations').where('name', 'in', ['9999_future', ALL[1]]).execute();
    expect(await problem()).toBe(
      "the database lacks the migrations 0002_key_auth_credentials: run 'tollgate migrations up'",
    );
  });
}
