import { afterEach, expect, it, vi } from 'vitest';
import { findRedis, startRedisServer } from './find-redis.ts';
import { openRedis } from './test-redis.ts';

afterEach(() => void vi.unstubAllEnvs());

it('is the server that was named, and the run says so when that does not answer', async () => {
  const own = await startRedisServer();
  vi.stubEnv('TEST_REDIS_URL', own.url);
  expect(await findRedis()).toMatchObject({ url: own.url, origin: 'TEST_REDIS_URL' });
  await own.stop();
  await expect(findRedis()).rejects.toThrow('TEST_REDIS_URL cannot be used');
});

it('is empty after it was started again, and gone after stop', async () => {
  const own = await startRedisServer();
  const { client, close } = openRedis(own.url);
  await client.set('a', '1');
  await own.kill();
  await own.restart();
  expect(await client.get('a')).toBeNull();
  close();
  await own.stop();
  vi.stubEnv('TEST_REDIS_URL', own.url);
  await expect(findRedis()).rejects.toThrow('cannot be used');
});
