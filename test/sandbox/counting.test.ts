/** The door to counters that nodes share, as a plugin of somebody else's finds it: an isolate, its host, a real Redis. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedCounters } from '../../core/counters/shared-counters.ts';
import { openTestRedis, type TestRedis } from '../support/test-redis.ts';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest;
let redis: TestRedis;

beforeAll(async () => {
  redis = openTestRedis();
  const counters = createSharedCounters({
    takeInCluster: async (windows, cost) => windows.map(({ limit }) => limit + cost),
    redisEvents: { onLost: () => {}, onRecovered: () => {} },
  });
  lane = await startLane('counting', {}, { takeSharedCounters: counters.take });
});
afterAll(() => {
  lane?.end();
  redis?.close();
});

/** What it answered, or the message of its error. */
async function count(key: string, options?: unknown): Promise<string> {
  const result = await lane.run(JSON.stringify({ key, options }));
  if ('failure' in result) return result.failure;
  const { outcome } = result;
  return outcome.failure?.message ?? outcome.body;
}

describe('a plugin that lists the counters it uses', () => {
  it('counts in Redis, in every window, refused or not', async () => {
    const key = randomUUID();
    const store = { kind: 'redis', redis: { host: redis.host, port: redis.port } };
    const uses = [];
    for (let sent = 0; sent < 4; sent++) uses.push(await count(key, { store }));
    expect(uses).toEqual(['0,0', '1,1', '2,2', '3,3']);
    expect(await count(key, { store, cost: 0 })).toBe('4,4');
    expect(await count(key, { store, cost: 6 })).toBe('4,4');
    expect(await redis.client.mget(`${key}:a`, `${key}:b`)).toEqual(['10', '10']);
  });

  it('counts in memory in between with a sync rate', async () => {
    const key = randomUUID();
    const store = { kind: 'redis', redis: { host: redis.host, port: redis.port }, syncRate: 100 };
    const uses = [];
    for (let sent = 0; sent < 5; sent++) uses.push(await count(key, { store }));
    expect(uses).toEqual(['0,0', '0,0', '1,1', '2,2', '2,2']);
    expect(await redis.client.get(`${key}:a`)).toBe('1');
  });

  it('counts in the cluster', async () => {
    expect(await count('k', { store: { kind: 'cluster' }, cost: 3 })).toBe('5,8');
  });

  it('counts in its own node when it says so', async () => {
    expect(await count('k', { store: 'local', cost: 3 })).toBe('0,0');
  });

  it.each([
    [{ kind: 'memcached' }, "a counter store is 'cluster' or 'redis'"],
    [{ kind: 'redis' }, 'no Redis is named, and REDIS_URL is not set'],
    [{ kind: 'redis', redis: { host: 7 } }, 'redis.host must be a text'],
    [{ kind: 'redis', redis: { host: 'h', password: ['x'] } }, 'redis.password must be a text'],
    [{ kind: 'redis', redis: { host: 'h', port: 1.5 } }, 'redis.port must be a whole number'],
    [{ kind: 'redis', redis: { host: 'h', timeout: -1 } }, 'redis.timeout must be a whole number'],
    [{ kind: 'redis', redis: { cluster_nodes: [] } }, 'redis takes up to 64 nodes'],
    [{ kind: 'redis', redis: { sentinel_nodes: 'h' } }, 'redis takes up to 64 nodes'],
    [{ kind: 'redis', redis: { host: 'h' }, syncRate: 0 }, 'syncRate must be -1 or at least 0.02'],
    [{ kind: 'redis', redis: { host: 'h' }, syncRate: 'often' }, 'syncRate must be -1 or at least 0.02'],
  ])('is refused the store %j', async (store, message) => {
    expect(await count('k', { store })).toBe(message);
    expect(verdictOf(await lane.run(JSON.stringify({ key: 'k' })))).toBe('exit');
  });

  it.each([-1, 0.5, '1', 2 ** 60])('is refused the cost %j', async (cost) => {
    expect(await count('k', { cost })).toMatch(/^cost must be a whole number/);
  });
});
