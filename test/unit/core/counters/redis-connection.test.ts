/** Counting in Redis, on a server of the run and on servers of its own that go away in the middle. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisConnection } from '../../../../core/counters/redis-connection.ts';
import { takeInRedis } from '../../../../core/counters/redis-counters.ts';
import type { RedisSettings } from '../../../../sdk/protocol/counter-store.ts';
import { startRedisServer } from '../../../support/find-redis.ts';
import { pollUntil } from '../../../support/poll-until.ts';
import { openRedis, openTestRedis, type TestRedis } from '../../../support/test-redis.ts';

let redis: TestRedis;
beforeAll(() => {
  redis = openTestRedis();
});
afterAll(() => redis?.close());

function connectTo(settings: RedisSettings) {
  const told: string[] = [];
  const connection = new RedisConnection(settings, {
    onLost: (server, reason) => told.push(`lost ${server}: ${reason}`),
    onRecovered: (server) => told.push(`back ${server}`),
  });
  onTestFinished(() => connection.close());
  return { connection, told };
}

const windowOf = (key: string, seconds = 60, limit = 3) => ({
  key,
  limit,
  expiresAtMs: Date.now() + seconds * 1000,
});

describe('a counter in Redis', () => {
  it('tells the use before each call, and counts refused calls in every window', async () => {
    const { connection } = connectTo(redis.settings);
    const [a, b] = [randomUUID(), randomUUID()];
    const uses = [];
    for (let sent = 0; sent < 5; sent++)
      uses.push(await takeInRedis(connection, [windowOf(a), windowOf(b)], 1));
    expect(uses).toEqual([0, 1, 2, 3, 4].map((used) => [used, used]));
    expect(await redis.client.get(a)).toBe('5');
  });

  it('lives as long as its window from the first hit on, and leaves nothing but itself', async () => {
    const { connection } = connectTo(redis.settings);
    const key = randomUUID();
    await takeInRedis(connection, [windowOf(key, 3600)], 1);
    expect(await redis.client.ttl(key)).toBe(3600);
    await redis.client.expire(key, 100);
    await takeInRedis(connection, [windowOf(key, 3600)], 1);
    expect(await redis.client.ttl(key)).toBeLessThanOrEqual(100);
    expect(await redis.client.keys(`*${key}*`)).toEqual([key]);
  });

  it('counts more than one at once, and reads without counting', async () => {
    const { connection } = connectTo(redis.settings);
    const key = randomUUID();
    expect(await takeInRedis(connection, [windowOf(key)], 0)).toEqual([0]);
    expect(await redis.client.exists(key)).toBe(0);
    expect(await takeInRedis(connection, [windowOf(key)], 7)).toEqual([0]);
    expect(await takeInRedis(connection, [windowOf(key)], 0)).toEqual([7]);
    expect(await redis.client.ttl(key)).toBeGreaterThan(0);
  });

  it('tells every one of many simultaneous calls another use, whichever connection they come over', async () => {
    const key = randomUUID();
    const connections = Array.from({ length: 3 }, () => connectTo(redis.settings).connection);
    const uses = await Promise.all(
      Array.from({ length: 600 }, (_, at) =>
        takeInRedis(connections[at % 3] as RedisConnection, [windowOf(key)], 1),
      ),
    );
    const seen = uses.map(([used]) => used as number).sort((x, y) => x - y);
    expect(seen).toEqual(Array.from({ length: 600 }, (_, at) => at));
  });

  it('says what is wrong with one key to the one who asked for it', async () => {
    const { connection } = connectTo(redis.settings);
    const [bad, good] = [randomUUID(), randomUUID()];
    await redis.client.lpush(bad, 'x');
    const [first, second] = await Promise.allSettled([
      takeInRedis(connection, [windowOf(bad)], 1),
      takeInRedis(connection, [windowOf(good)], 1),
    ]);
    expect(first).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('WRONGTYPE') },
    });
    expect(second).toEqual({ status: 'fulfilled', value: [0] });
    await redis.client.del(bad);
  });

  it('goes on when the server has forgotten the script', async () => {
    const own = await startRedisServer();
    onTestFinished(() => own.stop());
    const { connection } = connectTo({ host: '127.0.0.1', port: own.port });
    expect(await takeInRedis(connection, [windowOf('k')], 1)).toEqual([0]);
    const admin = openRedis(own.url);
    onTestFinished(() => admin.close());
    await admin.client.script('FLUSH');
    const uses = await Promise.all([1, 2, 3].map(() => takeInRedis(connection, [windowOf('k')], 1)));
    expect(uses).toEqual([[1], [2], [3]]);
  });
});

describe('a connection', () => {
  it('is made once for any number of calls', async () => {
    const own = await startRedisServer();
    onTestFinished(() => own.stop());
    const admin = openRedis(own.url);
    onTestFinished(() => admin.close());
    const connectionsReceived = async () =>
      Number(/total_connections_received:(\d+)/.exec(await admin.client.info('stats'))?.[1]);
    const before = await connectionsReceived();
    const { connection } = connectTo({ host: '127.0.0.1', port: own.port });
    await Promise.all(Array.from({ length: 500 }, () => takeInRedis(connection, [windowOf('k')], 1)));
    expect((await connectionsReceived()) - before).toBe(1);
  });

  it('fails calls at once while it is lost, says so once, and comes back by itself', async () => {
    const own = await startRedisServer();
    onTestFinished(() => own.stop());
    const { connection, told } = connectTo({ host: '127.0.0.1', port: own.port });
    await takeInRedis(connection, [windowOf('k')], 1);
    await own.kill();
    await pollUntil(
      'news',
      () => told.length,
      (count) => count === 1,
    );
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, () => takeInRedis(connection, [windowOf('k')], 1)),
    );
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await own.restart();
    await pollUntil(
      'news',
      () => told.length,
      (count) => count === 2,
    );
    expect(told).toEqual([
      expect.stringContaining(`lost 127.0.0.1:${own.port}: `),
      `back 127.0.0.1:${own.port}`,
    ]);
    // The new server is empty and has never seen the script.
    expect(await takeInRedis(connection, [windowOf('k')], 1)).toEqual([0]);
  });

  it('gives up a server that is frozen: those who waited fail after the timeout, those who come later at once', async () => {
    const own = await startRedisServer();
    onTestFinished(() => own.stop());
    const { connection, told } = connectTo({ host: '127.0.0.1', port: own.port, timeout: 300 });
    await takeInRedis(connection, [windowOf('k')], 1);
    own.freeze();
    await expect(takeInRedis(connection, [windowOf('k')], 1)).rejects.toThrow(
      `Redis 127.0.0.1:${own.port} cannot be reached: no answer within 300 ms`,
    );
    // Connecting again is under way all the time, but nobody waits for it.
    let settled = 0;
    const calls = Array.from({ length: 100 }, () =>
      takeInRedis(connection, [windowOf('k')], 1).then(
        () => settled++,
        () => settled++,
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(100);
    await Promise.all(calls);
    own.thaw();
    await pollUntil(
      'news',
      () => told.at(-1),
      (last) => last === `back 127.0.0.1:${own.port}`,
    );
  });

  it('does not hammer a server that is gone', async () => {
    const own = await startRedisServer();
    onTestFinished(() => own.stop());
    const { connection, told } = connectTo({ host: '127.0.0.1', port: own.port });
    await takeInRedis(connection, [windowOf('k')], 1);
    await own.kill();
    await pollUntil(
      'news',
      () => told.length,
      (count) => count === 1,
    );
    const startedAtMs = Date.now();
    while (Date.now() - startedAtMs < 1500) {
      await takeInRedis(connection, [windowOf('k')], 1).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    await own.restart();
    await pollUntil(
      'news',
      () => told.length,
      (count) => count === 2,
    );
    const admin = openRedis(own.url);
    onTestFinished(() => admin.close());
    const info = await admin.client.info('stats');
    // Ours, the admin's, and the one that waited for the server to start.
    expect(Number(/total_connections_received:(\d+)/.exec(info)?.[1])).toBeLessThanOrEqual(5);
  });

  it('leaves a server that has become a replica, and finds it again as a master', async () => {
    const [one, other] = [await startRedisServer(), await startRedisServer()];
    onTestFinished(() => one.stop());
    onTestFinished(() => other.stop());
    const admin = openRedis(one.url);
    onTestFinished(() => admin.close());
    const { connection, told } = connectTo({ host: '127.0.0.1', port: one.port });
    await takeInRedis(connection, [windowOf('k')], 1);
    await admin.client.replicaof('127.0.0.1', other.port);
    await expect(takeInRedis(connection, [windowOf('k')], 1)).rejects.toThrow('cannot be reached: READONLY');
    await admin.client.replicaof('NO', 'ONE');
    await pollUntil(
      'the master',
      () => takeInRedis(connection, [windowOf('k')], 1).catch(() => []),
      ({ length }) => length === 1,
    );
    expect(told.at(-1)).toBe(`back 127.0.0.1:${one.port}`);
  });

  it('logs in with a password, or a user and a password, to a database of its own', async () => {
    const own = await startRedisServer([
      '--requirepass',
      'open sesame',
      ...['--user', 'limiter', 'on', '>pass', '~k', '+eval', '+evalsha', '+incrby', '+expire', '+info'],
    ]);
    onTestFinished(() => own.stop());
    const at = { host: '127.0.0.1', port: own.port };
    const use = (settings: RedisSettings) => takeInRedis(connectTo(settings).connection, [windowOf('k')], 1);
    expect(await use({ ...at, password: 'open sesame' })).toEqual([0]);
    expect(await use({ ...at, password: 'open sesame', database: 3 })).toEqual([0]);
    expect(await use({ ...at, username: 'limiter', password: 'pass' })).toEqual([1]);
    await expect(use(at)).rejects.toThrow('NOAUTH');
    const { connection, told } = connectTo({ ...at, password: 'not the password' });
    const failure = await takeInRedis(connection, [windowOf('k')], 1).catch((error: Error) => error.message);
    expect(failure).toMatch(/WRONGPASS|invalid/);
    expect(`${failure}${told}`).not.toContain('not the password');
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an error to everything', '-ERR no\r\n'],
    ['texts where counts should be', '*2\r\n$1\r\na\r\n$1\r\nb\r\n'],
    ['too few counts', '*1\r\n:0\r\n'],
    ['no counts', '*2\r\n$-1\r\n$-1\r\n'],
    ['a count that is none', '+OK\r\n'],
    ['nothing', ''],
  ])('decides nothing on %s', async (_, answer) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      // What it takes for a Redis asks for INFO first.
      socket.on('data', (data) => {
        const isInfo = data.toString().toLowerCase().includes('info');
        const isOdd = answer.startsWith('HTTP') || answer.startsWith('-') || answer === '';
        socket.write(isInfo && !isOdd ? '$9\r\nloading:0\r\n' : answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { connection } = connectTo({ host: '127.0.0.1', port, timeout: 500 });
    await expect(takeInRedis(connection, [windowOf('a'), windowOf('b')], 1)).rejects.toThrow(
      `Redis 127.0.0.1:${port}`,
    );
  });

  it('says where a server is that cannot be found', async () => {
    const { connection } = connectTo({ host: 'nowhere.invalid', port: 1, password: 'secret', timeout: 5000 });
    const failure = await takeInRedis(connection, [windowOf('k')], 1).catch((error: Error) => error.message);
    expect(failure).toContain('Redis nowhere.invalid:1 cannot be reached');
    expect(failure).not.toContain('secret');
  });
});
