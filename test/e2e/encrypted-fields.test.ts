/** Fields marked as encrypted: what lies in the database and on the disk, and who sees them in the clear. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { startGateway } from '../support/start-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { type ProxyUnderTest, proxyOf, startProxy } from './support/start-proxy.ts';

const [FIRST_KEY, SECOND_KEY] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
const SEVERAL_STARTS_MS = 120_000;
const secretOf = (what: string) => `hush-${what}-${randomUUID()}`;

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'tollgate-encrypted-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database?.drop();
});

const NAME = 'vaulted';
const pack = (version: string, entity = '') =>
  packPlugin({
    name: NAME,
    version,
    definition: `
      schema: s.config({
        password: s.string({ encrypted: true }),
        list: s.array(s.string(), { encrypted: true }),
        inner: s.record({ token: s.string({ encrypted: true }), note: s.string() }),
      }),
      entities: [{ name: 'vaulted_rows', endpointKey: 'key', fields: {
        key: s.string({ unique: true }), secret: s.string({ encrypted: true }), note: s.string(), ${entity} }],
      async access(kong, config) {
        const row = await kong.entities.find('vaulted_rows', 'key', 'k');
        return kong.response.exit(200, { config, row });
      }`,
  });
const FIRST_ENTITY = '}';
const SECOND_ENTITY = `length: s.integer() },
  migrations: [{ from: 1, up: (row) => ({ ...row, length: row.secret.length }) }]`;

/** Everything in the tables in which rows lie, as text. */
async function readTables(): Promise<string> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query(`
      select to_jsonb(plugins)::text as text from plugins
      union all select to_jsonb(package_entities)::text from package_entities
      union all select to_jsonb(changes)::text from changes`);
    return rows.map(({ text }) => text as string).join('\n');
  } finally {
    await client.end();
  }
}

async function startWith(
  keys: string | undefined,
  previous: ProxyUnderTest | undefined,
): Promise<ProxyUnderTest> {
  const env = {
    DATABASE_URL: database.url,
    TOLLGATE_DATA_DIR: folder,
    ...(keys !== undefined && { TOLLGATE_ENCRYPTION_KEY: keys }),
  };
  if (previous === undefined) return startProxy(env);
  await previous.gateway.stop();
  return proxyOf(await startGateway({ env }), previous.upstream);
}

const snapshotText = () => readFileSync(join(folder, 'configuration.snapshot'), 'utf8');

it(
  'are encrypted wherever they lie, and in the clear for those who may read them',
  async () => {
    let proxy = await startWith(FIRST_KEY, undefined);
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', '/plugin-packages', await pack('1.0.0', FIRST_ENTITY));
    const secrets = ['password', 'one', 'two', 'token', 'row'].map(secretOf);
    const [password, one, two, token, inRow] = secrets;
    const config = { password, list: [one, two], inner: { token, note: 'open note' } };
    const plugin = await proxy.write('POST', `/routes/${routeId}/plugins`, { name: NAME, config });
    expect(plugin.config).toEqual(config);
    const row = await proxy.write('POST', '/vaulted_rows', { key: 'k', secret: inRow, note: 'open row' });
    expect(row.secret).toBe(inRow);

    const seen = async () => (await proxy.send(host)).json<{ config: object; row: { secret: string } }>();
    expect(await seen()).toMatchObject({ config, row: { secret: inRow } });
    expect((await proxy.write('GET', `/plugins/${plugin.id}`)).config).toEqual(config);
    expect((await proxy.write('GET', '/vaulted_rows/k')).secret).toBe(inRow);
    expect((await proxy.write('PATCH', '/vaulted_rows/k', { note: 'other' })).secret).toBe(inRow);
    expect((await proxy.write('GET', '/')).configuration.encryption_key).toBe('******');

    const stored = await readTables();
    expect(stored).toContain('open note');
    await pollUntil(
      'the snapshot on disk',
      async () => snapshotText(),
      (text) => text.includes('$sealed$'),
    );
    const { pids } = await proxy.write('GET', '/');
    const inherited = readFileSync(`/proc/${pids.workers[0]}/environ`, 'utf8');
    for (const [place, text] of Object.entries({
      stored,
      snapshot: snapshotText(),
      log: proxy.gateway.output(),
      inherited,
    })) {
      for (const secret of [...secrets, FIRST_KEY]) expect(text.includes(secret), place).toBe(false);
    }
    expect(snapshotText()).not.toContain('open note');

    // A version with migrations works on rows in the clear, and leaves them encrypted.
    await proxy.write('POST', '/plugin-packages', await pack('2.0.0', SECOND_ENTITY));
    expect(await proxy.write('GET', '/vaulted_rows/k')).toMatchObject({
      secret: inRow,
      length: inRow?.length,
    });
    expect(await readTables()).not.toContain(inRow);

    // With another key in front everything can still be read, and is written with the new one.
    proxy = await startWith(`${SECOND_KEY},${FIRST_KEY}`, proxy);
    expect(await seen()).toMatchObject({ config, row: { secret: inRow } });
    await proxy.write('PATCH', '/vaulted_rows/k', {});
    await proxy.write('PATCH', `/plugins/${plugin.id}`, {});
    proxy = await startWith(SECOND_KEY, proxy);
    expect(await seen()).toMatchObject({ config, row: { secret: inRow } });

    // Without its key a value is of no use to anybody, and the node says so.
    proxy = await startWith(undefined, proxy);
    expect(await seen()).toMatchObject({ config: { password: expect.stringMatching(/^\$sealed\$/) } });
    expect(proxy.gateway.output().match(/cannot be read with the keys this node has/g)).toHaveLength(1);
    const clear = secretOf('clear');
    await proxy.write('PATCH', '/vaulted_rows/k', { secret: clear });
    await proxy.write('PATCH', '/vaulted_rows/k', { secret: clear });
    expect(await readTables()).toContain(clear);
    expect(proxy.gateway.output().match(/is stored in the clear/g)).toHaveLength(1);
    await proxy.stop();
  },
  SEVERAL_STARTS_MS,
);

it('are not for keys, which could not be found again, or for numbers', async () => {
  const proxy = await startProxy();
  for (const [definition, problem] of [
    [
      `entities: [{ name: 'e', fields: { key: s.string({ unique: true, encrypted: true }) } }]`,
      "entity 'e': key cannot be unique and encrypted",
    ],
    [`schema: s.config({ size: s.integer({ encrypted: true }) })`, 'schema.size is encrypted, and no text'],
  ] as const) {
    const artefact = await packPlugin({ name: 'keyed', definition: `${definition}, access() {}` });
    const answer = await proxy.admin('POST', '/plugin-packages', artefact);
    expect(answer).toEqual({ status: 400, body: { message: `plugin 'keyed': ${problem}` } });
  }
  await proxy.stop();
});
