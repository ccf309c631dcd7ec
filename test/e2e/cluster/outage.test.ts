/** Traffic goes on when Postgres does not. */
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { type Cluster, type ClusterNode, startCluster } from './cluster.ts';

const SNAPSHOT = 'configuration.snapshot';
const OUTAGE_MESSAGE = 'the database is not reachable; the proxy goes on serving its last configuration';

/** Several gateways on few cores take their time. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-outage-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A service that asks for a key, and consumers who have one each. */
async function protect(node: ClusterNode, consumers: number) {
  const exposed = await node.expose();
  await node.write('POST', `/services/${exposed.serviceId}/plugins`, { name: 'key-auth' });
  const keys: string[] = [];
  for (let made = 0; made < consumers; made++) {
    const username = `user-${randomUUID()}`;
    await node.write('POST', '/consumers', { username });
    const key = `key-${randomUUID()}`;
    await node.write('POST', `/consumers/${username}/key-auth`, { key });
    keys.push(key);
  }
  return { ...exposed, keys };
}

const statusWith = (node: ClusterNode, host: string, apikey: string) =>
  node.send(host, '/', { headers: { apikey } }).then(({ status }) => status);

/** Keeps asking until it is told to stop; resolves to the answers that were no 200, failed requests among them. */
function keepAsking(node: ClusterNode, host: string, keys: readonly string[]) {
  const failures: unknown[] = [];
  let asked = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      const key = keys[asked++ % keys.length] ?? '';
      await statusWith(node, host, key).then(
        (status) => status === 200 || failures.push(status),
        (error: unknown) => failures.push(error),
      );
    }
  };
  const running = Promise.all([run(), run()]);
  return {
    failures,
    get asked() {
      return asked;
    },
    async stop() {
      isOver = true;
      await running;
      return failures;
    },
  };
}

const untilLost = (node: ClusterNode) =>
  pollUntil(
    'whether the database is reachable',
    async () => (await node.status()).database.reachable,
    (reachable) => !reachable,
  );

const untilRefused = (node: ClusterNode, host: string, key: string) =>
  pollUntil(
    'the answer to a key revoked elsewhere',
    () => statusWith(node, host, key),
    (status) => status === 401,
  );

const untilSaved = (folder: string, texts: readonly string[]) =>
  pollUntil(
    'the snapshot on disk',
    () => (existsSync(join(folder, SNAPSHOT)) ? readFileSync(join(folder, SNAPSHOT), 'utf8') : ''),
    (content) => texts.every((text) => content.includes(text)),
  );

describe.each([
  ['refuses connections', (node: ClusterNode) => node.relay.cut()],
  ['is silent', async (node: ClusterNode) => node.relay.silence()],
])('while Postgres %s', (_, interrupt) => {
  it('serves every key there is, refuses others, answers 503 to writes, and takes changes when it is back', async () => {
    const node = await cluster.startNode({ TOLLGATE_WORKERS: '2' });
    const other = await cluster.startNode();
    const { host, keys } = await protect(node, 8);
    const traffic = keepAsking(node, host, keys.slice(0, 4));
    await pollUntil(
      'requests',
      () => traffic.asked,
      (asked) => asked > 50,
    );

    await interrupt(node);
    await untilLost(node);
    // Keys that no worker has seen before are known all the same, and unknown ones are not mistaken for them.
    for (const key of keys) expect(await statusWith(node, host, key)).toBe(200);
    expect(await statusWith(node, host, randomUUID())).toBe(401);
    for (const [method, path, body] of [
      ['POST', '/services', { host: 'example.com' }],
      ['PUT', `/consumers/${randomUUID()}`, { username: 'late' }],
      ['DELETE', '/consumers/nobody', undefined],
      ['GET', '/services', undefined],
      ['GET', '/', undefined],
    ] as const) {
      const answer = await node.admin(method, path, body);
      expect([answer.status, answer.body]).toEqual([503, { message: OUTAGE_MESSAGE }]);
    }
    expect(await node.readiness()).toBe(200);
    const { database, tollgate } = await node.status();
    expect(database).toEqual({ reachable: false });
    expect(tollgate.database_problem).toEqual(expect.any(String));
    expect(tollgate.workers).toHaveLength(2);

    const elsewhere = await other.expose();
    const revoked = keys.at(-1) ?? '';
    await other.write('DELETE', `/key-auths/${revoked}`);
    await node.relay.restore();
    await pollUntil(
      'the route made elsewhere',
      () => node.send(elsewhere.host).then(({ status }) => status),
      (status) => status === 200,
    );
    await untilRefused(node, host, revoked);
    expect((await node.status()).database).toEqual({ reachable: true });
    await node.expose();
    expect(await traffic.stop()).toEqual([]);
    await node.stop();
    await other.stop();
  });
});

it.each([
  ['refuses connections', (node: ClusterNode) => node.relay.cut()],
  ['is silent', async (node: ClusterNode) => node.relay.silence()],
])(
  'serves from its disk when it is started while Postgres %s, and catches up when it is back',
  async (_, interrupt) => {
    const folder = makeFolder();
    const env = { TOLLGATE_DATA_DIR: folder, TOLLGATE_WORKERS: '2' };
    const first = await cluster.startNode(env);
    const other = await cluster.startNode();
    const { host, keys } = await protect(first, 5);
    await untilSaved(folder, [host, ...keys]);
    await interrupt(first);
    await first.gateway.kill();

    const second = await cluster.startNode(env, first.relay);
    for (const key of keys) expect(await statusWith(second, host, key)).toBe(200);
    expect(await statusWith(second, host, randomUUID())).toBe(401);
    expect(await second.readiness()).toBe(200);
    expect((await second.status()).database).toEqual({ reachable: false });
    const refused = await second.admin('POST', '/services', { host: 'example.com' });
    expect([refused.status, refused.body]).toEqual([503, { message: OUTAGE_MESSAGE }]);

    const elsewhere = await other.expose();
    await other.write('DELETE', `/key-auths/${keys[0]}`);
    const traffic = keepAsking(second, host, keys.slice(1));
    await second.relay.restore();
    await pollUntil(
      'the route made elsewhere',
      () => second.send(elsewhere.host).then(({ status }) => status),
      (status) => status === 200,
    );
    await untilRefused(second, host, keys[0] ?? '');
    const own = await pollUntil(
      'a write',
      () => second.admin('POST', '/consumers', { username: randomUUID() }),
      ({ status }) => status === 201,
    );
    expect(own.status).toBe(201);
    expect(await traffic.stop()).toEqual([]);
    await second.stop();
    await other.stop();
  },
  60_000,
);

it('keeps what it knows readable by its owner only', async () => {
  const folder = makeFolder();
  const node = await cluster.startNode({ TOLLGATE_DATA_DIR: folder });
  const { keys } = await protect(node, 1);
  await untilSaved(folder, keys);
  expect(statSync(join(folder, SNAPSHOT)).mode & 0o777).toBe(0o600);
  await node.stop();
});

it.each(['torn', 'foreign'])(
  'does not start from a %s file while Postgres is gone, and says so',
  async (kind) => {
    const folder = makeFolder();
    const env = { TOLLGATE_DATA_DIR: folder };
    const node = await cluster.startNode(env);
    const { host } = await node.expose();
    await untilSaved(folder, [host]);
    await node.stop();
    const path = join(folder, SNAPSHOT);
    const content = readFileSync(path);
    writeFileSync(path, kind === 'torn' ? content.subarray(0, content.length - 100) : '{"format":"other"}\n');
    chmodSync(path, 0o600);
    await node.relay.cut();
    const failure = await cluster.startNode(env, node.relay).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(failure).toContain('the snapshot on disk is ignored');
    expect(failure).toContain(
      `the database is not reachable and there is no snapshot to serve from in ${path}`,
    );
  },
);

it('starts from the database whatever is in the file', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, SNAPSHOT), Buffer.from([0, 1, 2, 3]));
  const node = await cluster.startNode({ TOLLGATE_DATA_DIR: folder });
  const { host } = await node.expose();
  expect((await node.send(host)).status).toBe(200);
  await untilSaved(folder, [host]);
  await node.stop();
});

it('refuses to start without the database and without a file', async () => {
  const relayed = await cluster.startNode();
  await relayed.stop();
  await relayed.relay.cut();
  await expect(cluster.startNode({}, relayed.relay)).rejects.toThrow(
    'the database is not reachable and there is no snapshot to serve from',
  );
});

it('serves every key again when its data plane is killed while Postgres is gone', async () => {
  const node = await cluster.startNode({ TOLLGATE_WORKERS: '2' });
  const { host, keys } = await protect(node, 3);
  await node.relay.cut();
  await untilLost(node);
  const { pid } = node.gateway;
  const [dataPlane] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  process.kill(dataPlane ?? -1, 'SIGKILL');
  for (const key of keys) {
    await pollUntil(
      'the answer to a key',
      () => statusWith(node, host, key).catch(String),
      (status) => status === 200,
    );
  }
  expect(await statusWith(node, host, randomUUID())).toBe(401);
  await pollUntil(
    'the versions of both workers',
    async () => (await node.status()).tollgate,
    (served) =>
      served.workers.length === 2 &&
      served.workers.every(({ version }) => version === served.configuration_version),
  );
  await node.stop();
});

it('stops in good order while Postgres is silent', async () => {
  const node = await cluster.startNode();
  const { host } = await node.expose();
  node.relay.silence();
  await untilLost(node);
  expect((await node.send(host)).status).toBe(200);
  // Throws unless it ends by itself and with 0.
  await node.stop();
});

it('answers 500 at once for keys it cannot know, where there are more than it may hold', async () => {
  const node = await cluster.startNode({ TOLLGATE_ENTITY_CACHE_ROWS: '6', TOLLGATE_WORKERS: '1' });
  const { host, keys } = await protect(node, 20);
  const used = keys.slice(0, 2);
  for (const key of used) expect(await statusWith(node, host, key)).toBe(200);
  await node.relay.cut();
  await untilLost(node);
  for (const key of used) expect(await statusWith(node, host, key)).toBe(200);
  expect(await statusWith(node, host, randomUUID())).toBe(500);
  await node.relay.restore();
  await pollUntil(
    'a new key',
    () => statusWith(node, host, keys[10] ?? ''),
    (status) => status === 200,
  );
  expect(await statusWith(node, host, randomUUID())).toBe(401);
  await node.stop();
});
