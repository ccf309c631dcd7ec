/** The ways in which Redis is run: encrypted, behind sentinels, as a cluster. Servers of the test's own. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisConnection } from '../../../../core/counters/redis-connection.ts';
import { takeInRedis } from '../../../../core/counters/redis-counters.ts';
import type { RedisSettings } from '../../../../sdk/protocol/counter-store.ts';
import { type OwnRedisServer, startRedisServer } from '../../../support/find-redis.ts';
import { pollUntil } from '../../../support/poll-until.ts';
import { openRedis } from '../../../support/test-redis.ts';

const CERTIFICATES = new URL('../../../contract/upstream/certificates/', import.meta.url);
const CERTIFICATE = fileURLToPath(new URL('upstream.pem', CERTIFICATES));
const KEY = fileURLToPath(new URL('upstream-key.pem', CERTIFICATES));

async function own(...given: Parameters<typeof startRedisServer>): Promise<OwnRedisServer> {
  const server = await startRedisServer(...given);
  onTestFinished(() => server.stop());
  return server;
}

function connectTo(settings: RedisSettings): RedisConnection {
  const connection = new RedisConnection(settings, { onLost: () => {}, onRecovered: () => {} });
  onTestFinished(() => connection.close());
  return connection;
}

function clientOf(server: OwnRedisServer) {
  const { client, close } = openRedis(server.url);
  onTestFinished(close);
  return client;
}

const windowOf = (key: string) => ({ key, limit: 5, expiresAtMs: Date.now() + 60_000 });
const take = (settings: RedisSettings) => takeInRedis(connectTo(settings), [windowOf('a'), windowOf('b')], 1);

describe('an encrypted server', () => {
  const startEncrypted = () =>
    own(
      [
        ...['--tls-port', '{port}', '--port', '0', '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', CERTIFICATE, '--tls-key-file', KEY, '--tls-ca-cert-file', CERTIFICATE],
      ],
      (port) => `rediss://127.0.0.1:${port}`,
    );

  it('is counted in without a look at its certificate unless that is wanted', async () => {
    const { port } = await startEncrypted();
    const at = { host: '127.0.0.1', port, ssl: true };
    expect(await take(at)).toEqual([0, 0]);
    await expect(take({ ...at, ssl_verify: true, server_name: 'upstream.test' })).rejects.toThrow(
      /certificate/,
    );
    await expect(take({ host: '127.0.0.1', port, timeout: 500 })).rejects.toThrow('cannot be reached');
  });

  it('is known by the name it is asked for when its certificate is checked', async () => {
    const { port } = await startEncrypted();
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, readFileSync(CERTIFICATE, 'utf8')]);
    onTestFinished(() => setDefaultCACertificates(trusted));
    const at = { host: '127.0.0.1', port, ssl: true, ssl_verify: true };
    expect(await take({ ...at, server_name: 'upstream.test' })).toEqual([0, 0]);
    await expect(take({ ...at, server_name: 'elsewhere.test' })).rejects.toThrow(/altnames/);
  });
});

describe('servers behind a sentinel', () => {
  it('are counted in where the master is, also after it has moved', async () => {
    const master = await own();
    const replica = await own(['--replicaof', '127.0.0.1', `${master.port}`]);
    const sentinel = await own(['--sentinel']);
    const admin = clientOf(sentinel);
    await admin.call('SENTINEL', 'MONITOR', 'limits', '127.0.0.1', `${master.port}`, '1');
    for (const [name, value] of [
      ['down-after-milliseconds', '300'],
      ['failover-timeout', '2000'],
    ] as const) {
      await admin.call('SENTINEL', 'SET', 'limits', name, value);
    }
    await pollUntil(
      'the replica',
      () => admin.call('SENTINEL', 'REPLICAS', 'limits') as Promise<unknown[]>,
      (replicas) => replicas.length === 1,
    );
    const connection = connectTo({
      sentinel_nodes: [{ host: '127.0.0.1', port: sentinel.port }],
      sentinel_master: 'limits',
      sentinel_role: 'master',
    });
    expect(await takeInRedis(connection, [windowOf('k')], 1)).toEqual([0]);
    expect(await clientOf(master).get('k')).toBe('1');
    await pollUntil(
      'replication',
      () => clientOf(replica).get('k'),
      (value) => value === '1',
    );
    await master.kill();
    const [used] = await pollUntil(
      'the new master',
      () => takeInRedis(connection, [windowOf('k')], 1).catch(() => []),
      (uses) => uses.length > 0,
    );
    expect(used).toBe(1);
    expect(await clientOf(replica).get('k')).toBe('2');
  });
});

describe('a cluster', () => {
  it('is counted in although the windows of a request lie on different servers', async () => {
    const servers = [
      await own(['--cluster-enabled', 'yes']),
      await own(['--cluster-enabled', 'yes']),
    ] as const;
    const [first, second] = [clientOf(servers[0]), clientOf(servers[1])];
    await first.cluster('ADDSLOTSRANGE', 0, 8191);
    await second.cluster('ADDSLOTSRANGE', 8192, 16383);
    await first.cluster('MEET', '127.0.0.1', servers[1].port);
    const isReady = (info: string) =>
      info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2');
    for (const client of [first, second]) {
      await pollUntil('the cluster', () => client.cluster('INFO') as Promise<string>, isReady);
    }
    const connection = connectTo({ cluster_nodes: [{ ip: '127.0.0.1', port: servers[0].port }] });
    const windows = Array.from({ length: 8 }, (_, at) => windowOf(`key ${at}`));
    const uses = await Promise.all(Array.from({ length: 50 }, () => takeInRedis(connection, windows, 1)));
    for (const at of windows.keys()) {
      const seen = uses.map((used) => used[at] as number).sort((a, b) => a - b);
      expect(seen).toEqual(Array.from({ length: 50 }, (_, number) => number));
    }
    const sizes = [await first.dbsize(), await second.dbsize()];
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect((sizes[0] as number) + (sizes[1] as number)).toBe(8);
  });
});
