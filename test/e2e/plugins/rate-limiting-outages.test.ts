/** Limits while Redis or the database is gone: contract/plugins.md section 2.5, last point. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedisServer, startRedisServer } from '../../support/find-redis.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { openRedis, type TestRedis } from '../../support/test-redis.ts';
import type { ClusterNode } from '../cluster/cluster.ts';
import type { SentAnswer } from '../support/send-request.ts';
import { countStatus, floodNodes, type LimitedNodes, startLimitedNodes } from './limited-nodes.ts';

const NODES = 2;
const WORKERS = 2;
const UNEXPECTED = '{"message":"An unexpected error occurred"}';

let limited: LimitedNodes;
beforeAll(async () => {
  limited = await startLimitedNodes(NODES);
});
afterAll(() => limited?.stop());

const limitHeaders = ({ headers }: SentAnswer) =>
  headers.filter(([name]) => /ratelimit|retry-after/.test(name));
const node = (at: number) => limited.nodes[at] as ClusterNode;

/** Sends without a pause until told to stop. */
function sendWithoutEnd(host: string): { stop(): Promise<readonly SentAnswer[]> } {
  let isOver = false;
  const answers: SentAnswer[] = [];
  const floods = limited.nodes.map(async (each) => {
    while (!isOver) answers.push(...(await floodNodes([each], host, 8, 4)));
  });
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(floods);
      return answers;
    },
  };
}

/** As many fresh connections as reach every worker of every node. */
async function everyWorker(host: string): Promise<readonly SentAnswer[]> {
  return Promise.all(limited.nodes.flatMap((each) => Array.from({ length: 12 }, () => each.send(host))));
}

const recovers = (host: string) =>
  pollUntil(
    'the limit',
    async () => (await everyWorker(host)).map((answer) => answer.header('ratelimit-limit') ?? answer.status),
    (limits) => limits.every((limit) => limit === '1000000'),
  );

describe('Redis', () => {
  let server: OwnRedisServer;
  let redis: TestRedis;
  const connectionsReceived = async () =>
    Number(/total_connections_received:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
  const clientsConnected = async () =>
    Number(/connected_clients:(\d+)/.exec(await redis.client.info('clients'))?.[1]);

  beforeAll(async () => {
    server = await startRedisServer(['--requirepass', 'hidden-word']);
    const url = new URL(server.url);
    url.password = 'hidden-word';
    redis = openRedis(url.href);
  });
  afterAll(async () => {
    redis?.close();
    await server?.stop();
  });

  const settings = () => ({ ...redis.settings, password: 'hidden-word', timeout: 1000 });
  const limitWith = (config: Readonly<Record<string, unknown>>) =>
    limited.limit({ year: 1_000_000, policy: 'redis', redis: settings(), ...config });

  it('killed and started again under load fails no request with fault_tolerant', async () => {
    const { host } = await limitWith({ fault_tolerant: true });
    await recovers(host);
    const before = await clientsConnected();
    const load = sendWithoutEnd(host);
    await server.kill();
    await pollUntil(
      'every worker without Redis',
      async () => (await everyWorker(host)).flatMap(limitHeaders).length,
      (count) => count === 0,
    );
    await server.restart();
    await recovers(host);
    const answers = await load.stop();
    expect(answers.length).toBeGreaterThan(50);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    // One connection for each worker, however many requests there were and however often it was tried.
    expect(await clientsConnected()).toBe(before);
    expect(await connectionsReceived()).toBeLessThanOrEqual(2 * NODES * WORKERS + 4);
  });

  it('gone makes requests fail without fault_tolerant, and they succeed again once it is back', async () => {
    const { host } = await limitWith({ fault_tolerant: false });
    await recovers(host);
    const load = sendWithoutEnd(host);
    await server.kill();
    const refused = await pollUntil(
      'every worker without Redis',
      () => everyWorker(host),
      (answers) => countStatus(answers, 500) === answers.length,
    );
    expect(refused[0]?.text).toBe(UNEXPECTED);
    expect(refused.flatMap(limitHeaders)).toEqual([]);
    await server.restart();
    await recovers(host);
    const answers = await load.stop();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 500]));
    expect(await connectionsReceived()).toBeLessThanOrEqual(2 * NODES * WORKERS + 4);
  });

  it('silent holds nobody up who comes after it was found out', async () => {
    const { host } = await limitWith({ fault_tolerant: true });
    await recovers(host);
    server.freeze();
    await pollUntil(
      'every worker without Redis',
      async () => (await everyWorker(host)).flatMap(limitHeaders).length,
      (count) => count === 0,
    );
    // One after the other: were each held up for the timeout, these would take more than the test may.
    for (let sent = 0; sent < 100; sent++) expect((await node(sent % NODES).send(host)).status).toBe(200);
    server.thaw();
    await recovers(host);
  });

  it('killed in the middle admits the limit once more at most: what it counted is gone', async () => {
    const { host } = await limited.limit({
      year: 50,
      policy: 'redis',
      redis: settings(),
      fault_tolerant: false,
    });
    const before = await floodNodes(limited.nodes, host, 40);
    expect(countStatus(before, 200)).toBe(50);
    await server.kill();
    await server.restart();
    await pollUntil(
      'every worker with Redis',
      async () => (await everyWorker(host)).map(({ status }) => status),
      (statuses) => statuses.every((status) => status !== 500),
    );
    const { keys } = { keys: await redis.client.keys('ratelimit:*') };
    expect(keys).toHaveLength(1);
    const counted = Number(await redis.client.get(keys[0] as string));
    const after = await floodNodes(limited.nodes, host, 40);
    expect(countStatus(after, 200)).toBe(Math.max(0, 50 - counted));
  });

  it('synchronised now and then fails nobody either', async () => {
    const { host } = await limitWith({ fault_tolerant: true, sync_rate: 0.05 });
    await recovers(host);
    const load = sendWithoutEnd(host);
    await server.kill();
    await pollUntil(
      'every worker without Redis',
      async () => (await everyWorker(host)).flatMap(limitHeaders).length,
      (count) => count === 0,
    );
    await server.restart();
    await recovers(host);
    expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('never has its password told', async () => {
    for (const each of limited.nodes) {
      expect(each.gateway.output()).toContain(`127.0.0.1:${server.port}`);
      expect(each.gateway.output()).not.toContain('hidden-word');
      expect(JSON.stringify(await each.status())).not.toContain('hidden-word');
    }
  });
});

describe('the database', () => {
  it('gone fails no request with the policy cluster and fault_tolerant, and limits again when it is back', async () => {
    const { host } = await limited.limit({ year: 1_000_000, policy: 'cluster', fault_tolerant: true });
    await recovers(host);
    const load = sendWithoutEnd(host);
    for (const { relay } of limited.nodes) await relay.cut();
    await pollUntil(
      'every worker without the database',
      async () => (await everyWorker(host)).flatMap(limitHeaders).length,
      (count) => count === 0,
    );
    for (const { relay } of limited.nodes) await relay.restore();
    await recovers(host);
    expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('gone makes requests fail without fault_tolerant, on the node that has lost it', async () => {
    const { host } = await limited.limit({ year: 1_000_000, policy: 'cluster', fault_tolerant: false });
    await recovers(host);
    await node(1).relay.cut();
    const refused = await pollUntil(
      'the node without its database',
      () => Promise.all(Array.from({ length: 12 }, () => node(1).send(host))),
      (answers) => countStatus(answers, 500) === answers.length,
    );
    expect(refused[0]?.text).toBe(UNEXPECTED);
    expect((await node(0).send(host)).status).toBe(200);
    await node(1).relay.restore();
    await recovers(host);
  });

  it('silent holds nobody up who comes after it was found out', async () => {
    const { host } = await limited.limit({ year: 1_000_000, policy: 'cluster', fault_tolerant: true });
    await recovers(host);
    node(1).relay.silence();
    await pollUntil(
      'the node without its database',
      async () => limitHeaders(await node(1).send(host)).length,
      (count) => count === 0,
    );
    for (let sent = 0; sent < 100; sent++) expect((await node(1).send(host)).status).toBe(200);
    await node(1).relay.restore();
    await recovers(host);
  });
});
