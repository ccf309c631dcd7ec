/** A write through the Admin API is answered when the proxy serves it: no sleep anywhere in here. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startUpstream } from '../support/start-upstream.ts';
import { linesOf, type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  // Two workers: each of them must have the change, whichever gets the connection.
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
});
afterAll(() => proxy.stop());

it('serves a route from the moment it was made, and not after it was deleted, 50 times', async () => {
  const { serviceId } = await proxy.expose();
  for (let round = 0; round < 50; round++) {
    const host = `round-${round}.test`;
    const route = await proxy.write('POST', `/services/${serviceId}/routes`, { hosts: [host] });
    const served = await Promise.all([proxy.send(host), proxy.send(host), proxy.send(host)]);
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200]);
    await proxy.write('DELETE', `/routes/${route.id}`);
    const gone = await Promise.all([proxy.send(host), proxy.send(host), proxy.send(host)]);
    expect(gone.map(({ status }) => status)).toEqual([404, 404, 404]);
  }
});

it('serves what was written by many at once', async () => {
  const exposed = await Promise.all(Array.from({ length: 20 }, () => proxy.expose()));
  const answers = await Promise.all(exposed.map(({ host }) => proxy.send(host)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
});

it('sends requests where an updated service says', async () => {
  const other = await startUpstream();
  const { host, serviceId } = await proxy.expose();
  await proxy.echo(host);
  await proxy.write('PATCH', `/services/${serviceId}`, { port: other.port, path: '/moved' });
  expect((await proxy.echo(host, '/x')).url).toBe('/moved/x');
  expect(other.requestCount).toBe(1);
  await other.stop();
});

it('matches an updated route', async () => {
  const { host, routeId } = await proxy.expose({}, { paths: ['/before'] });
  expect((await proxy.send(host, '/before')).status).toBe(200);
  await proxy.write('PATCH', `/routes/${routeId}`, { paths: ['/after'], preserve_host: true });
  expect((await proxy.send(host, '/before')).status).toBe(404);
  expect(linesOf(await proxy.echo(host, '/after'), 'host')).toEqual([host]);
});

it('answers 404 as soon as a service is disabled, and serves again as soon as it is enabled', async () => {
  const { host, serviceId } = await proxy.expose();
  await proxy.write('PATCH', `/services/${serviceId}`, { enabled: false });
  expect((await proxy.send(host)).status).toBe(404);
  await proxy.write('PATCH', `/services/${serviceId}`, { enabled: true });
  expect((await proxy.send(host)).status).toBe(200);
});

it('lets another route have the requests of a disabled service', async () => {
  const { host, serviceId } = await proxy.expose({ path: '/first' }, { paths: ['/x'] });
  await proxy.expose({ path: '/second' }, { hosts: [host] });
  expect((await proxy.echo(host, '/x')).url).toBe('/first');
  await proxy.write('PATCH', `/services/${serviceId}`, { enabled: false });
  expect((await proxy.echo(host, '/x')).url).toBe('/second/x');
});

it('answers 503 once a route has lost its service', async () => {
  const { host, routeId } = await proxy.expose();
  await proxy.write('PATCH', `/routes/${routeId}`, { service: null });
  expect((await proxy.send(host)).status).toBe(503);
});

it('finishes a request that began before its route was deleted', async () => {
  const { host, routeId, serviceId } = await proxy.expose();
  const before = proxy.upstream.requestCount;
  const slow = proxy.send(host, '/delay/300');
  while (proxy.upstream.requestCount === before) await new Promise((resolve) => setImmediate(resolve));
  await proxy.write('DELETE', `/routes/${routeId}`);
  await proxy.write('DELETE', `/services/${serviceId}`);
  expect((await proxy.send(host)).status).toBe(404);
  expect((await slow).status).toBe(200);
});

it('refuses a route with a regex that cannot run, and goes on serving and taking changes', async () => {
  const { serviceId, host } = await proxy.expose();
  const refused = await proxy.admin('POST', `/services/${serviceId}/routes`, { paths: ['~/([a-'] });
  expect(refused.status).toBe(400);
  expect((await proxy.send(host)).status).toBe(200);
  const next = await proxy.expose();
  expect((await proxy.send(next.host)).status).toBe(200);
});
