/** Published packages on several nodes, across restarts, and while Postgres is gone. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { packPlugin } from '../../support/pack-plugin.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { startGateway } from '../../support/start-gateway.ts';
import { proxyOf, startProxy } from '../support/start-proxy.ts';
import { type Cluster, type ClusterNode, startCluster } from './cluster.ts';

/** A busy machine takes its time to start a gateway. */
const SEVERAL_STARTS_MS = 90_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

const version = (name: string, number: string) =>
  packPlugin({
    name,
    version: number,
    definition: `access(kong) { kong.response.setHeader('x-version', '${number}'); }`,
  });

const until = (node: ClusterNode, host: string, expected: string) =>
  pollUntil(
    'the version that answers',
    async () => (await node.send(host)).header('x-version'),
    (seen) => seen === expected,
  );

it(
  'are followed by every node, and back again',
  async () => {
    const [one, other] = [await cluster.startNode(), await cluster.startNode({ TOLLGATE_WORKERS: '2' })];
    const name = `hello-${randomUUID().slice(0, 8)}`;
    await one.write('POST', '/plugin-packages', await version(name, '1.0.0'));
    await pollUntil(
      'the plugin on the other node',
      async () => (await other.write('GET', '/plugins/enabled')).enabled_plugins as string[],
      (names) => names.includes(name),
    );
    const { host, routeId } = await one.expose();
    await other.write('POST', `/routes/${routeId}/plugins`, { name });
    for (const node of [one, other]) await until(node, host, '1.0.0');

    await other.write('POST', '/plugin-packages', await version(name, '2.0.0'));
    expect((await other.send(host)).header('x-version')).toBe('2.0.0');
    await until(one, host, '2.0.0');

    await one.write('POST', `/plugin-packages/${name}/rollback`);
    expect((await one.send(host)).header('x-version')).toBe('1.0.0');
    await until(other, host, '1.0.0');
    const seen = await other.write('GET', `/plugin-packages/${name}`);
    expect([seen.active.version, seen.previous.version, seen.problem]).toEqual(['1.0.0', '2.0.0', null]);
  },
  SEVERAL_STARTS_MS,
);

it(
  'serve again after a restart, with the database or without',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-packages-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const env = { TOLLGATE_DATA_DIR: folder };
    const node = await cluster.startNode(env);
    const name = `hello-${randomUUID().slice(0, 8)}`;
    const { host, routeId } = await node.expose();
    await node.write('POST', '/plugin-packages', await version(name, '1.0.0'));
    await node.write('POST', `/routes/${routeId}/plugins`, { name });
    expect((await node.send(host)).header('x-version')).toBe('1.0.0');
    await node.stop();

    const again = await cluster.startNode(env, node.relay);
    expect((await again.send(host)).header('x-version')).toBe('1.0.0');
    await again.stop();

    node.relay.cut();
    const cutOff = await cluster.startNode(env, node.relay);
    expect((await cutOff.send(host)).header('x-version')).toBe('1.0.0');
    expect((await cutOff.admin('POST', '/plugin-packages', await version(name, '2.0.0'))).status).toBe(503);
    expect((await cutOff.send(host)).header('x-version')).toBe('1.0.0');
  },
  SEVERAL_STARTS_MS,
);

it(
  'are there again when a worker or the data plane has ended',
  async () => {
    const node = await cluster.startNode();
    const name = `hello-${randomUUID().slice(0, 8)}`;
    const { host, routeId } = await node.expose();
    await node.write('POST', '/plugin-packages', await version(name, '1.0.0'));
    await node.write('POST', `/routes/${routeId}/plugins`, { name });
    await node.write('POST', '/plugin-packages', await version(name, '2.0.0'));
    const { pids } = await node.write('GET', '/');
    process.kill(pids.workers[0], 'SIGKILL');
    await pollUntil(
      'the version that answers',
      () =>
        node
          .send(host)
          .then(({ header }) => header('x-version'))
          .catch(() => undefined),
      (seen) => seen === '2.0.0',
    );
  },
  SEVERAL_STARTS_MS,
);

it(
  'are kept in an embedded database too',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-packages-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const env = { TOLLGATE_DATABASE: 'embedded', TOLLGATE_DATA_DIR: folder };
    const name = `hello-${randomUUID().slice(0, 8)}`;
    const first = await startProxy(env);
    const { host, routeId } = await first.expose();
    await first.write('POST', '/plugin-packages', await version(name, '1.0.0'));
    await first.write('POST', `/routes/${routeId}/plugins`, { name });
    await first.write('POST', '/plugin-packages', await version(name, '2.0.0'));
    await first.write('POST', `/plugin-packages/${name}/rollback`);
    expect((await first.send(host)).header('x-version')).toBe('1.0.0');
    await first.gateway.stop();

    const second = proxyOf(await startGateway({ env }), first.upstream);
    onTestFinished(() => second.stop());
    expect((await second.send(host)).header('x-version')).toBe('1.0.0');
    const seen = await second.write('GET', `/plugin-packages/${name}`);
    expect([seen.active.version, seen.previous.version]).toEqual(['1.0.0', '2.0.0']);
  },
  SEVERAL_STARTS_MS,
);
