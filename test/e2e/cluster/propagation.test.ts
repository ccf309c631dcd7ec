/** What is written on one node is served by all. */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { type Cluster, type ClusterNode, startCluster } from './cluster.ts';

/** What a node logs that has missed changes which are gone, or too many. */
const READING_EVERYTHING = 'reading the whole configuration';
const LISTEN = 'listen tollgate_changes';

/** Several gateways on few cores take their time. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

let cluster: Cluster;
let nodes: readonly ClusterNode[];
let first: ClusterNode;
let second: ClusterNode;
let third: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  // The database is prepared by the first; the others find it ready.
  first = await cluster.startNode({ TOLLGATE_WORKERS: '2', TOLLGATE_DB_UPDATE_FREQUENCY: '1' });
  [second, third] = await Promise.all([
    cluster.startNode({ TOLLGATE_WORKERS: '2', TOLLGATE_DB_UPDATE_FREQUENCY: '1' }),
    cluster.startNode({ TOLLGATE_WORKERS: '1', TOLLGATE_DB_UPDATE_FREQUENCY: '1' }),
  ]);
  nodes = [first, second, third];
});
afterAll(() => cluster?.stop());

const statusOn = (node: ClusterNode, host: string, headers: Record<string, string> = {}) =>
  node.send(host, '/', { headers }).then(({ status }) => status);

function served(node: ClusterNode, host: string, expected: number, headers: Record<string, string> = {}) {
  return pollUntil(
    `the answer for ${host}`,
    () => statusOn(node, host, headers),
    (status) => status === expected,
  );
}

/** A service on a host of its own that asks for a key, and a consumer who has one. */
async function protect(node: ClusterNode) {
  const exposed = await node.expose();
  await node.write('POST', `/services/${exposed.serviceId}/plugins`, { name: 'key-auth' });
  const { id: consumerId } = await node.write('POST', '/consumers', { username: randomUUID() });
  const key = randomUUID();
  const { id: keyId } = await node.write('POST', `/consumers/${consumerId}/key-auth`, { key });
  return { ...exposed, consumerId, key, keyId };
}

it('serves on every node a route made on one of them, its changes, and its end', async () => {
  const { host, routeId } = await first.expose();
  expect(await statusOn(first, host)).toBe(200);
  await Promise.all([served(second, host, 200), served(third, host, 200)]);
  const moved = `${randomUUID().slice(0, 8)}.test`;
  await second.write('PATCH', `/routes/${routeId}`, { hosts: [moved] });
  expect(await statusOn(second, moved)).toBe(200);
  await Promise.all(nodes.flatMap((node) => [served(node, moved, 200), served(node, host, 404)]));
  await third.write('DELETE', `/routes/${routeId}`);
  await Promise.all(nodes.map((node) => served(node, moved, 404)));
});

it('knows a key on every node once it is made on one, and no more once it is deleted', async () => {
  const { host, key, keyId } = await protect(first);
  await Promise.all(nodes.map((node) => served(node, host, 401)));
  // Every node has learnt by now that this one does not exist.
  const later = randomUUID();
  await Promise.all(nodes.map((node) => served(node, host, 401, { apikey: later })));
  await Promise.all(nodes.map((node) => served(node, host, 200, { apikey: key })));
  await second.write('PATCH', `/key-auths/${keyId}`, { key: later });
  await Promise.all(nodes.map((node) => served(node, host, 200, { apikey: later })));
  await Promise.all(nodes.map((node) => served(node, host, 401, { apikey: key })));
  await third.write('DELETE', `/key-auths/${keyId}`);
  await Promise.all(nodes.map((node) => served(node, host, 401, { apikey: later })));
});

it('refuses the keys of a consumer on every node once the consumer is deleted, and drops its plugins', async () => {
  const { host, consumerId, serviceId, key } = await protect(first);
  await first.write('POST', `/consumers/${consumerId}/plugins`, {
    name: 'rate-limiting',
    service: { id: serviceId },
    config: { minute: 1000, policy: 'local' },
  });
  await Promise.all(nodes.map((node) => served(node, host, 200, { apikey: key })));
  await second.write('DELETE', `/consumers/${consumerId}`);
  await Promise.all(nodes.map((node) => served(node, host, 401, { apikey: key })));
});

it('takes over what was changed in the database by hand', async () => {
  const { host, key, keyId, routeId } = await protect(first);
  await Promise.all(nodes.map((node) => served(node, host, 200, { apikey: key })));
  const byHand = new Client(cluster.databaseUrl);
  await byHand.connect();
  try {
    await byHand.query('delete from keyauth_credentials where id = $1', [keyId]);
    await Promise.all(nodes.map((node) => served(node, host, 401, { apikey: key })));
    await byHand.query('begin');
    await byHand.query('delete from plugins');
    await byHand.query('delete from routes where id = $1', [routeId]);
    await byHand.query('rollback');
    await byHand.query("update routes set hosts = array['by-hand.test'] where id = $1", [routeId]);
    await Promise.all(nodes.map((node) => served(node, 'by-hand.test', 401)));
    await byHand.query('truncate keyauth_credentials, plugins');
    await Promise.all(nodes.map((node) => served(node, 'by-hand.test', 200)));
  } finally {
    await byHand.end();
  }
});

it('brings 500 writes in a row to every node, one by one', async () => {
  const printed = new Map(nodes.map((node) => [node, node.gateway.output().length]));
  const { id: serviceId } = await first.write('POST', '/services', {
    host: first.upstream.host,
    port: first.upstream.port,
  });
  const hosts = Array.from({ length: 500 }, (_, at) => `row-${at}.test`);
  for (const host of hosts) await first.write('POST', `/services/${serviceId}/routes`, { hosts: [host] });
  const { tollgate } = await first.status();
  for (const node of nodes) {
    await pollUntil(
      'the version of all workers',
      async () => (await node.status()).tollgate.workers.map(({ version }) => version),
      (versions) => versions.length > 0 && versions.every((v) => v >= tollgate.configuration_version),
    );
    for (const host of hosts) expect(await statusOn(node, host)).toBe(200);
    expect(node.gateway.output().slice(printed.get(node))).not.toContain(READING_EVERYTHING);
  }
});

it('serves everywhere what was written on all nodes at once', async () => {
  const made = await Promise.all(nodes.flatMap((node) => Array.from({ length: 30 }, () => node.expose())));
  await Promise.all(nodes.flatMap((node) => made.map(({ host }) => served(node, host, 200))));
});

it('catches up by itself on a node that hears nothing', async () => {
  second.relay.muteThoseThatSent(LISTEN);
  const { host } = await first.expose();
  await served(second, host, 200);
  await second.relay.restore();
});

it('catches up on a node whose connection for news was cut', async () => {
  for (let round = 0; round < 5; round++) {
    const [exposed] = await Promise.all([first.expose(), third.relay.endThoseThatSent(LISTEN)]);
    await served(third, exposed.host, 200);
  }
});

it('catches up on a node that was away from the database during many changes', async () => {
  await third.relay.cut();
  const made = await Promise.all(Array.from({ length: 30 }, () => first.expose()));
  const { host, key } = await protect(second);
  await third.relay.restore();
  for (const exposed of made) await served(third, exposed.host, 200);
  await served(third, host, 200, { apikey: key });
});

it('reads everything anew when the changes it has missed are gone', async () => {
  const { host, key, keyId } = await protect(first);
  await Promise.all(nodes.map((node) => served(node, host, 200, { apikey: key })));
  await third.relay.cut();
  await first.write('DELETE', `/key-auths/${keyId}`);
  const made = await first.expose();
  const byHand = new Client(cluster.databaseUrl);
  await byHand.connect();
  await byHand.query('delete from changes where sequence < (select max(sequence) from changes)');
  await byHand.end();
  await third.relay.restore();
  await served(third, made.host, 200);
  await served(third, host, 401, { apikey: key });
  expect(third.gateway.output()).toContain(READING_EVERYTHING);
});

it('shows which version each worker serves', async () => {
  await first.expose();
  const { tollgate } = await first.status();
  expect(tollgate.workers).toEqual([
    { worker: 0, version: tollgate.configuration_version },
    { worker: 1, version: tollgate.configuration_version },
  ]);
  await pollUntil(
    'the versions of the second node',
    async () => (await second.status()).tollgate,
    (other) => other.configuration_version === tollgate.configuration_version,
  );
});
