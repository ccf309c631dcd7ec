/** Secrets in configurations of plugins are references: the plugin has the secret, and nobody else sees it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const SECRET = 'a-secret-that-nobody-shows';
let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({ TEST_REDIS_PASSWORD: SECRET });
});
afterAll(() => proxy?.stop());

async function limit(password: string): Promise<{ readonly host: string; readonly plugin: unknown }> {
  const { host, serviceId } = await proxy.expose();
  const config = { minute: 100, policy: 'local', redis: { host: '127.0.0.1', password } };
  const plugin = await proxy.write('POST', `/services/${serviceId}/plugins`, {
    name: 'rate-limiting',
    config,
  });
  return { host, plugin };
}

it('shows the reference and serves where the secret is there', async () => {
  const { host, plugin } = await limit('{vault://env/test-redis-password}');
  expect(plugin).toMatchObject({ config: { redis: { password: '{vault://env/test-redis-password}' } } });
  expect((await proxy.send(host, '/')).status).toBe(200);
});

it('refuses every request where it is not, and others go on', async () => {
  const without = await limit('{vault://env/test-not-set}');
  const beside = await limit('{vault://env/test-redis-password}');
  expect((await proxy.send(without.host, '/')).status).toBe(500);
  expect((await proxy.send(beside.host, '/')).status).toBe(200);
  expect(proxy.gateway.output()).toContain('the environment variable TEST_NOT_SET is not set');
  expect(proxy.gateway.output()).not.toContain(SECRET);
});
