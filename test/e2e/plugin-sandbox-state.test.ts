/** `sandbox` of a plugin: what an operator sees of a published one without leaving the plugin. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_PLUGIN_TIMEOUT_MS: '100' });
});
afterAll(() => proxy?.stop());

it('shows which version runs, and whom to blame', async () => {
  const name = `restless-${randomUUID().slice(0, 8)}`;
  const artefact = await packPlugin({
    name,
    version: '3.2.1',
    definition: `access(kong) { if (kong.request.getHeader('x-loop')) for (;;) {} }`,
  });
  await proxy.write('POST', '/plugin-packages', artefact);
  const { host, routeId, serviceId } = await proxy.expose();
  const made = await proxy.write('POST', `/routes/${routeId}/plugins`, { name });
  expect(made).not.toHaveProperty('sandbox');
  const own = await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'cors' });
  const see = async (path = `/plugins/${made.id}`) => (await proxy.write('GET', path)).sandbox;
  const quiet = {
    package: name,
    version: '3.2.1',
    digest: artefact.digest,
    state: 'serving',
    strikes: 0,
    last_error: null,
    problem: null,
  };
  expect(await see()).toEqual(quiet);
  expect(await see(`/routes/${routeId}/plugins/${made.id}`)).toEqual(quiet);
  expect(await see(`/plugins/${own.id}`)).toBeUndefined();
  const { data } = await proxy.write('GET', '/plugins');
  for (const plugin of data) expect(plugin).not.toHaveProperty('sandbox');

  const startedAt = Math.floor(Date.now() / 1000);
  await proxy.send(host, '/', { headers: { 'x-loop': '1' } });
  const blamed = await pollUntil(
    'the strike',
    () => see(),
    ({ strikes }) => strikes > 0,
  );
  expect(blamed).toMatchObject({ state: 'serving', strikes: 1, last_error: { reason: 'timeout' } });
  expect(blamed.last_error.at).toBeGreaterThanOrEqual(startedAt);
  for (let times = 0; times < 3; times++) await proxy.send(host, '/', { headers: { 'x-loop': '1' } });
  await pollUntil(
    'the quarantine',
    () => see(),
    ({ state }) => state === 'quarantined',
  );
});

it('is passed over when it is sent back', async () => {
  const name = `calm-${randomUUID().slice(0, 8)}`;
  await proxy.write('POST', '/plugin-packages', await packPlugin({ name, definition: 'access() {}' }));
  const { routeId } = await proxy.expose();
  const path = `/routes/${routeId}/plugins`;
  const { id } = await proxy.write('POST', path, { name });
  const seen = await proxy.write('GET', `/plugins/${id}`);
  expect(seen.sandbox.state).toBe('serving');
  const { sandbox: _sandbox, updated_at: _updated, ...row } = seen;
  expect(await proxy.write('PATCH', `/plugins/${id}`, seen)).toMatchObject(row);
  expect(await proxy.write('PUT', `/plugins/${id}`, seen)).toMatchObject(row);
  expect(await proxy.write('PUT', `${path}/${id}`, seen)).not.toHaveProperty('sandbox');
  await proxy.write('DELETE', `/plugins/${id}`);
  expect(await proxy.write('POST', '/plugins', seen)).toMatchObject(row);
});
