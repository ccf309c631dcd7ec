/** Counting from memory between exchanges with Redis: contract/plugins.md section 2.5. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisConnection } from '../../../../core/counters/redis-connection.ts';
import { SyncedCounters } from '../../../../core/counters/synced-counters.ts';
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts';

const NEVER_SECONDS = 1000;
let redis: TestRedis;
let connection: RedisConnection;
let key: string;

beforeAll(() => {
  redis = openTestRedis();
  connection = new RedisConnection(redis.settings, { onLost: () => {}, onRecovered: () => {} });
});
afterAll(() => {
  connection?.close();
  redis?.close();
});
beforeEach(() => {
  key = randomUUID();
});

const windowOf = (name: string, limit = 4) => ({ key: name, limit, expiresAtMs: Date.now() + 60_000 });
const takeAll = async (counters: SyncedCounters, count: number, limit = 4) => {
  const uses: number[] = [];
  for (let sent = 0; sent < count; sent++) uses.push(...(await counters.take([windowOf(key, limit)], 1)));
  return uses;
};
const stored = () => redis.client.get(key);

describe('a counter that is synchronised now and then', () => {
  it('does not see its own first call until it has been written down', async () => {
    const counters = new SyncedCounters(connection, NEVER_SECONDS);
    // With a limit of 4 five pass, as the contract says.
    expect(await takeAll(counters, 7)).toEqual([0, 0, 1, 2, 3, 4, 4]);
    expect(await stored()).toBe('1');
    await counters.flush();
    expect(await stored()).toBe('5');
    expect(await takeAll(counters, 2)).toEqual([5, 4]);
    // Refused calls are not written down.
    await counters.flush();
    expect(await stored()).toBe('5');
  });

  it('asks Redis again after each exchange, and sees what others have counted', async () => {
    const [one, two] = [
      new SyncedCounters(connection, NEVER_SECONDS),
      new SyncedCounters(connection, NEVER_SECONDS),
    ];
    expect(await takeAll(one, 3, 10)).toEqual([0, 0, 1]);
    expect(await takeAll(two, 2, 10)).toEqual([1, 1]);
    await Promise.all([one.flush(), two.flush()]);
    expect(await stored()).toBe('5');
    expect(await takeAll(one, 1, 10)).toEqual([5]);
  });

  it('asks Redis once for calls that come at the same time', async () => {
    const counters = new SyncedCounters(connection, NEVER_SECONDS);
    const uses = await Promise.all(Array.from({ length: 20 }, () => counters.take([windowOf(key, 10)], 1)));
    expect(uses.flat().filter((used) => used < 10)).toHaveLength(11);
    expect(await stored()).toBe('1');
    await counters.flush();
    expect(await stored()).toBe('11');
  });

  it('is written down by itself, and keeps the lifetime of its window', async () => {
    const counters = new SyncedCounters(connection, 0.02);
    await takeAll(counters, 3);
    for (;;) {
      if ((await stored()) === '3') break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await redis.client.ttl(key)).toBeGreaterThan(50);
  });

  it('ends with its window also when it had ended before it was written down', async () => {
    const counters = new SyncedCounters(connection, NEVER_SECONDS);
    await takeAll(counters, 3);
    await redis.client.del(key);
    await counters.flush();
    expect(await stored()).toBe('2');
    const ttl = await redis.client.ttl(key);
    expect(ttl).toBeGreaterThan(50);
    expect(ttl).toBeLessThanOrEqual(61);
  });

  it('counts in every window or, when one is full, in none', async () => {
    const counters = new SyncedCounters(connection, NEVER_SECONDS);
    const windows = () => [windowOf(`${key}:a`, 1), windowOf(`${key}:b`, 9)];
    const uses = [];
    for (let sent = 0; sent < 4; sent++) uses.push(await counters.take(windows(), 1));
    expect(uses).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    await counters.flush();
    expect(await redis.client.mget(`${key}:a`, `${key}:b`)).toEqual(['2', '2']);
  });

  it('can be looked at', async () => {
    const counters = new SyncedCounters(connection, NEVER_SECONDS);
    expect(await counters.take([windowOf(key)], 0)).toEqual([0]);
    expect(await redis.client.exists(key)).toBe(0);
    await takeAll(counters, 3);
    expect(await counters.take([windowOf(key)], 0)).toEqual([3]);
  });
});
