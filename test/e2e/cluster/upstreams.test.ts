/** Upstreams on several nodes, and without the database: contract/proxy.md sections 8.3 and 9. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { countAnswers, exposeUpstream, type NamedServers, startServers } from '../upstreams/named-servers.ts';
import { type Cluster, type ClusterNode, startCluster } from './cluster.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), 'tollgate-upstreams-'));
let cluster: Cluster;
let one: ClusterNode;
let two: ClusterNode;
let servers: NamedServers;
beforeAll(async () => {
  cluster = await startCluster();
  servers = await startServers(2);
  one = await cluster.startNode({ TOLLGATE_DATA_DIR: folder });
  two = await cluster.startNode();
});
afterAll(async () => {
  await cluster?.stop();
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('are used, and set by hand, on all nodes, and served by a node that starts without the database', async () => {
  const checks = { healthchecks: { passive: { unhealthy: { tcp_failures: 1 } } } };
  const { name, host } = await exposeUpstream(one, servers.targets, checks);
  const served = async (node: ClusterNode) => (await node.status()).tollgate.configuration_version;
  const catchUp = async () => {
    const version = await served(one);
    await pollUntil(
      'version of the other node',
      () => served(two),
      (other) => other >= version,
    );
  };
  await catchUp();
  expect(await countAnswers(4, () => two.send(host))).toEqual({ 0: 2, 1: 2 });

  const put = (node: ClusterNode, word: string) =>
    node.admin('PUT', `/upstreams/${name}/targets/${servers.targets[0]}/${word}`);
  expect((await put(one, 'unhealthy')).status).toBe(204);
  await catchUp();
  for (const node of [one, two]) expect(await countAnswers(4, () => node.send(host))).toEqual({ 1: 4 });
  const { data } = await two.write('GET', `/upstreams/${name}/health`);
  expect(data.map(({ health }: { health: string }) => health).toSorted()).toEqual(['HEALTHY', 'UNHEALTHY']);

  const snapshot = join(folder, 'configuration.snapshot');
  await pollUntil(
    'the file on the disk',
    () => existsSync(snapshot) && readFileSync(snapshot, 'utf8').includes(host),
    (isWritten) => isWritten,
  );
  await one.relay.cut();
  await one.gateway.kill();
  const again = await cluster.startNode({ TOLLGATE_DATA_DIR: folder }, one.relay);
  expect(await countAnswers(4, () => again.send(host))).toEqual({ 0: 2, 1: 2 });
});
