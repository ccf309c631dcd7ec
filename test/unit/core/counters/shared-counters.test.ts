/** Stores that a worker reaches: one connection for each Redis, and none for those that nobody uses any more. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSharedCounters } from '../../../../core/counters/shared-counters.ts';
import type { RedisSettings } from '../../../../sdk/protocol/counter-store.ts';
import { type OwnRedisServer, startRedisServer } from '../../../support/find-redis.ts';
import { pollUntil } from '../../../support/poll-until.ts';
import { openRedis } from '../../../support/test-redis.ts';

const MINUTE_MS = 60_000;

async function startServer() {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { client, close } = openRedis(server.url);
  onTestFinished(close);
  const clients = async () => Number(/connected_clients:(\d+)/.exec(await client.info('clients'))?.[1]);
  return { settings: { host: '127.0.0.1', port: server.port }, client, clients, server };
}

function createCounters(nodeRedis?: RedisSettings) {
  const counters = createSharedCounters({
    takeInCluster: async (windows) => windows.map(() => 0),
    redisEvents: { onLost: () => {}, onRecovered: () => {} },
    nodeRedis,
  });
  onTestFinished(() => counters.sweep(Date.now() + MINUTE_MS));
  return counters;
}

const windows = () => [{ key: 'k', limit: 9, expiresAtMs: Date.now() + MINUTE_MS }];

describe('stores', () => {
  it('with the same settings share a connection, whatever else they say', async () => {
    const { settings, clients } = await startServer();
    const counters = createCounters();
    const before = await clients();
    for (const syncRate of [-1, 100, 200]) {
      await counters.take({ kind: 'redis', redis: { ...settings }, syncRate }, windows(), 1);
    }
    expect((await clients()) - before).toBe(1);
    await counters.take({ kind: 'redis', redis: { ...settings, database: 1 } }, windows(), 1);
    expect((await clients()) - before).toBe(2);
  });

  it('that nobody uses are left, with everything they remember written down', async () => {
    const { settings, client, clients } = await startServer();
    const counters = createCounters();
    const before = await clients();
    const store = { kind: 'redis', redis: settings, syncRate: 1000 } as const;
    for (let sent = 0; sent < 5; sent++) await counters.take(store, windows(), 1);
    counters.sweep(Date.now());
    expect(await clients()).toBe(before + 1);
    counters.sweep(Date.now() + MINUTE_MS);
    await pollUntil('the clients', clients, (count) => count === before);
    expect(await client.get('k')).toBe('5');
    // And they are found again.
    expect(await counters.take(store, windows(), 1)).toEqual([5]);
  });

  it('that name no Redis are on that of the node', async () => {
    const { settings, client } = await startServer();
    const counters = createCounters({ ...settings, database: 2 });
    expect(
      await counters.take({ kind: 'redis', redis: { host: null, timeout: 2000 } }, windows(), 1),
    ).toEqual([0]);
    await client.select(2);
    expect(await client.get('k')).toBe('1');
    await expect(createCounters().take({ kind: 'redis', redis: {} }, windows(), 1)).rejects.toThrow(
      'no Redis is named, and REDIS_URL is not set',
    );
  });

  it('are a hundred at most', async () => {
    const { server } = await startServer();
    const counters = createCounters();
    const takeIn = (database: number, { port }: OwnRedisServer) =>
      counters.take({ kind: 'redis', redis: { host: '127.0.0.1', port, database } }, windows(), 1);
    const results = await Promise.allSettled(Array.from({ length: 120 }, (_, at) => takeIn(at, server)));
    const reasons = results.map((result) =>
      result.status === 'rejected' ? String(result.reason) : 'counted',
    );
    expect(reasons.filter((reason) => reason.includes('too many Redis connections'))).toHaveLength(20);
  });
});
