/** What a node knows of the configuration, and what its workers are told, on real databases and without workers. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigurationUpdate } from '../../../core/config/known-configuration.ts';
import { type ConfigurationServers, NodeConfiguration } from '../../../core/config/node-configuration.ts';
import { EMPTY_SNAPSHOT, type ServiceRow, type Snapshot } from '../../../core/config/snapshot.ts';
import { writeSnapshotFile } from '../../../core/config/snapshot-file.ts';
import { listEntities } from '../../../core/entities/registry.ts';
import { closeDatabase, databaseIdentity, openDatabase } from '../../../core/store/database.ts';
import { assertKnownSchema, prepareSchema } from '../../../core/store/migrator.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { startTcpRelay } from '../../support/start-tcp-relay.ts';
import { createTestDatabase } from '../../support/test-database.ts';
import { DATABASE_KINDS, type TestDatabase } from '../store-databases.ts';

const entities = listEntities({ get: () => undefined, names: () => [] });
const logger = { notice: () => {}, warn: () => {}, error: () => {} };

class RecordedServers implements ConfigurationServers {
  readonly published: Snapshot[] = [];
  readonly updates: ConfigurationUpdate[] = [];
  refusal: Error | undefined;

  async publish(snapshot: Snapshot): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.published.push(snapshot);
  }

  async update(update: ConfigurationUpdate): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.updates.push(update);
  }
}

for (const [kind, open] of Object.entries(DATABASE_KINDS)) {
  describe(`the configuration of a node on ${kind}`, () => specifyConfiguration(open));
}

function specifyConfiguration(open: () => Promise<TestDatabase>) {
  let test: TestDatabase;
  let servers: RecordedServers;
  beforeAll(async () => {
    test = await open();
    await prepareSchema(test.database);
  });
  afterAll(() => test?.dispose());
  beforeEach(() => {
    servers = new RecordedServers();
  });

  const load = async (maxRows = 1000): Promise<NodeConfiguration> => {
    const configuration = new NodeConfiguration({
      database: test.database,
      entities,
      prepareSchema: () => prepareSchema(test.database),
      assertSchema: () => assertKnownSchema(test.database),
      pollSeconds: 3600,
      maxRows,
      logger,
    });
    await configuration.load();
    onTestFinished(() => configuration.stop());
    return configuration;
  };

  const insertService = async (): Promise<string> => {
    const id = randomUUID();
    await sql`insert into services (id, name, host) values (${id}, ${id}, 'a.test')`.execute(
      test.database.kysely,
    );
    return id;
  };

  const insertConsumer = async (username: string): Promise<string> => {
    const id = randomUUID();
    await sql`insert into consumers (id, username) values (${id}, ${username})`.execute(test.database.kysely);
    return id;
  };

  it('tells workers what has changed, and nothing else', async () => {
    const configuration = await load();
    configuration.follow(servers, configuration.snapshot);
    const before = configuration.snapshot;
    const id = await insertService();
    await configuration.publishChange();
    expect(servers.published).toEqual([]);
    expect(servers.updates.map(({ delta }) => delta)).toMatchObject([
      {
        base: before.version,
        version: before.version + 1,
        sequence: before.sequence + 1,
        services: { upserted: [{ id, host: 'a.test' }], removed: [] },
        routes: { upserted: [], removed: [] },
      },
    ]);
    expect(configuration.snapshot.services.map((service) => service.id)).toContain(id);
    await configuration.publishChange();
    expect(servers.updates).toHaveLength(1);
  });

  it('gives everything to workers that have refused a change', async () => {
    const configuration = await load();
    configuration.follow(servers, configuration.snapshot);
    servers.refusal = new Error('no');
    const refused = await insertService();
    await expect(configuration.publishChange()).rejects.toThrow('no');
    servers.refusal = undefined;
    await insertService();
    await configuration.publishChange();
    expect(servers.published[0]?.services.map(({ id }) => id)).toContain(refused);
    const updates = servers.updates.length;
    const accepted = await insertService();
    await configuration.publishChange();
    expect(servers.published).toHaveLength(1);
    expect(servers.updates.slice(updates).map(({ delta }) => delta.services.upserted)).toMatchObject([
      [{ id: accepted }],
    ]);
  });

  it('gives everything to workers that serve something else than the node knows', async () => {
    const configuration = await load();
    const served = configuration.snapshot;
    await insertService();
    await configuration.publishChange();
    configuration.follow(servers, served);
    await configuration.publishChange();
    expect(servers.published).toEqual([configuration.snapshot]);
  });

  it('finds rows by unique fields, knows of changes to them, and tells workers to forget them', async () => {
    const configuration = await load();
    configuration.follow(servers, configuration.snapshot);
    const username = randomUUID();
    expect(await configuration.findRow('consumers', 'username', username)).toBeNull();
    const id = await insertConsumer(username);
    await configuration.publishChange();
    expect(await configuration.findRow('consumers', 'username', username)).toMatchObject({ id, username });
    expect(servers.updates.at(-1)?.invalidations).toEqual([
      { entity: 'consumers', id, keys: [`id=${id}`, `username=${username}`], withReferences: false },
    ]);
    await sql`delete from consumers where id = ${id}`.execute(test.database.kysely);
    await configuration.publishChange();
    expect(await configuration.findRow('consumers', 'id', id)).toBeNull();
    expect(servers.updates.at(-1)?.invalidations).toMatchObject([{ id, withReferences: true }]);
  });

  it('finds rows of the snapshot in it', async () => {
    const id = await insertService();
    const configuration = await load();
    expect(await configuration.findRow('services', 'name', id)).toMatchObject({ id });
    expect(await configuration.findRow('services', 'name', 'nobody')).toBeNull();
    expect(await configuration.findRow('services', 'id', id.toUpperCase())).toMatchObject({ id });
    await expect(configuration.findRow('services', 'host', 'a.test')).rejects.toThrow('not a unique field');
    await expect(configuration.findRow('nothing', 'id', id)).rejects.toThrow("there is no entity 'nothing'");
  });

  it('finds rows beyond its bound in the database', async () => {
    const ids = [await insertConsumer(randomUUID()), await insertConsumer(randomUUID())];
    const configuration = await load(1);
    for (const id of ids) expect(await configuration.findRow('consumers', 'id', id)).toMatchObject({ id });
    expect(await configuration.findRow('consumers', 'id', randomUUID())).toBeNull();
    expect(await configuration.findRow('consumers', 'id', 'no uuid')).toBeNull();
    expect(await configuration.findRow('consumers', 'username', 'nul \0 byte')).toBeNull();
  });

  if (open === DATABASE_KINDS.Postgres) {
    it('hears of what others write', async () => {
      const configuration = await load();
      configuration.follow(servers, configuration.snapshot);
      const id = await insertService();
      await pollUntil(
        'updates',
        () => servers.updates.flatMap(({ delta }) => delta.services.upserted.map((service) => service.id)),
        (heard) => heard.includes(id),
      );
    });
  }
}

it('does not give up a configuration for an empty database that comes back in place of its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = await createTestDatabase();
  onTestFinished(() => server.drop());
  const url = new URL(server.url);
  const relay = await startTcpRelay(Number(url.port) || 5432, url.hostname);
  onTestFinished(() => relay.stop());
  await relay.cut();
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  const location = { kind: 'postgres', connectionString: url.href } as const;
  const snapshotFile = { path: join(folder, 'configuration.snapshot'), database: databaseIdentity(location) };
  const known = { id: randomUUID(), host: 'known.test' } as unknown as ServiceRow;
  await writeSnapshotFile(snapshotFile.path, {
    database: snapshotFile.database,
    position: { sequence: 9, at: '' },
    snapshot: { ...EMPTY_SNAPSHOT, version: 3, sequence: 9, services: [known] },
    held: new Map(),
  });

  const database = await openDatabase(location);
  onTestFinished(() => closeDatabase(database));
  const configuration = new NodeConfiguration({
    database,
    entities,
    prepareSchema: () => prepareSchema(database),
    assertSchema: () => assertKnownSchema(database),
    pollSeconds: 3600,
    maxRows: 10,
    snapshotFile,
    logger,
  });
  await configuration.load();
  onTestFinished(() => configuration.stop());
  const servers = new RecordedServers();
  configuration.follow(servers, configuration.snapshot);
  expect(configuration.snapshot.services).toEqual([known]);

  await relay.restore();
  const problem = await pollUntil(
    'the problem with the database',
    () => configuration.databaseProblem ?? '',
    (text) => text.includes('no schema'),
  );
  expect(problem).toContain("run 'tollgate migrations bootstrap'");
  expect(servers.published).toEqual([]);

  await prepareSchema(database);
  await pollUntil(
    'what is served',
    () => servers.published.length,
    (count) => count > 0,
  );
  expect(servers.published[0]?.services).toEqual([]);
  expect(configuration.databaseProblem).toBeUndefined();
});
