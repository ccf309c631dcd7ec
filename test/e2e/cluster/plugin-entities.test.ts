/** Rows of packages' entities on several nodes, across restarts, and while Postgres is gone. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { packPlugin } from '../../support/pack-plugin.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { type Cluster, type ClusterNode, startCluster } from './cluster.ts';

/** A busy machine takes its time to start a gateway. */
const SEVERAL_STARTS_MS = 90_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

const pack = (name: string, version: string, entity: string) =>
  packPlugin({
    name,
    version,
    definition: `
      entities: [{ name: '${name.replaceAll('-', '_')}', adminApiName: '${name}', endpointKey: 'key', ${entity} }],
      async access(kong) {
        const key = kong.request.getHeader('x-key');
        const row = await kong.entities.find('${name.replaceAll('-', '_')}', 'key', key);
        return row ? kong.response.exit(200, row) : kong.response.error(401);
      }`,
  });

const FIRST = `fields: { consumer: s.foreign('consumers'), key: s.string({ unique: true }), size: s.integer() }`;
const SECOND = `fields: { consumer: s.foreign('consumers'), key: s.string({ unique: true }), half: s.number() },
  migrations: [{ from: 1, up: ({ size, ...row }) => ({ ...row, half: size / 2 }) }]`;

const ask = async (node: ClusterNode, host: string, key: string) => {
  const answer = await node.send(host, '/', { headers: { 'x-key': key } });
  return answer.status === 200 ? answer.json<Record<string, unknown>>() : answer.status;
};

it(
  'are the same on every node, whoever writes them and publishes what',
  async () => {
    const [one, other] = [await cluster.startNode(), await cluster.startNode({ TOLLGATE_WORKERS: '2' })];
    const name = `rows-${randomUUID().slice(0, 8)}`;
    await one.write('POST', '/plugin-packages', await pack(name, '1.0.0', FIRST));
    await pollUntil(
      'the paths on the other node',
      async () => (await other.admin('GET', `/${name}`)).status,
      (status) => status === 200,
    );
    const { host, routeId } = await one.expose();
    await one.write('POST', `/routes/${routeId}/plugins`, { name });
    const until = (node: ClusterNode, key: string, isSeen: (seen: unknown) => boolean) =>
      pollUntil(`what ${key} finds`, () => ask(node, host, key), isSeen);
    await until(other, 'k', (seen) => seen === 401);
    const consumer = await one.write('POST', '/consumers', { username: name });
    await one.write('POST', `/consumers/${name}/${name}`, { key: 'k', size: 8 });
    expect(await ask(one, host, 'k')).toMatchObject({ size: 8 });
    await until(other, 'k', (seen) => typeof seen === 'object');
    await other.write('PATCH', `/${name}/k`, { size: 9 });
    await until(one, 'k', (seen) => (seen as { size?: number }).size === 9);

    await other.write('POST', '/plugin-packages', await pack(name, '2.0.0', SECOND));
    for (const node of [one, other]) {
      await until(node, 'k', (seen) => (seen as { half?: number }).half === 4.5);
      const row = await node.write('GET', `/${name}/k`);
      expect(row).toMatchObject({ half: 4.5 });
      expect(row).not.toHaveProperty('size');
    }
    await one.write('DELETE', `/consumers/${consumer.id}`);
    expect(await ask(one, host, 'k')).toBe(401);
    await until(other, 'k', (seen) => seen === 401);
    await Promise.all([one.stop(), other.stop()]);
  },
  SEVERAL_STARTS_MS,
);

it(
  'are found without the database, even those nobody has asked for yet',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-entities-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const env = { TOLLGATE_DATA_DIR: folder };
    const node = await cluster.startNode(env);
    const name = `rows-${randomUUID().slice(0, 8)}`;
    await node.write('POST', '/plugin-packages', await pack(name, '1.0.0', FIRST));
    const { host, routeId } = await node.expose();
    await node.write('POST', `/routes/${routeId}/plugins`, { name });
    await node.write('POST', `/${name}`, { key: 'k', size: 8 });
    node.relay.cut();
    expect(await ask(node, host, 'k')).toMatchObject({ size: 8 });
    expect(await ask(node, host, 'guess')).toBe(401);
    await node.stop();

    const again = await cluster.startNode(env, node.relay);
    expect(await ask(again, host, 'k')).toMatchObject({ size: 8 });
    expect(await ask(again, host, 'guess')).toBe(401);
    await again.stop();
  },
  SEVERAL_STARTS_MS,
);
