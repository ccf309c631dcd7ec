/** Health of targets: contract/proxy.md section 8.3, contract/admin-api.md sections 3.6 and 3.7. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClosedPort } from '../../contract/upstream/raw-upstream.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { serve } from '../support/serve.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { countAnswers, exposeUpstream, type NamedServers, startServers } from './named-servers.ts';

let proxy: ProxyUnderTest;
let two: NamedServers;
beforeAll(async () => {
  [proxy, two] = await Promise.all([startProxy({ TOLLGATE_WORKERS: '2' }), startServers(2)]);
});
afterAll(() => Promise.all([proxy.stop(), two.stop()]));

const NO_PEER = { message: 'failure to get a peer from the ring-balancer' };
const passive = (unhealthy: object, healthy: object = {}) => ({
  healthchecks: { passive: { unhealthy, healthy } },
});
const active = (settings: { healthy?: object; unhealthy?: object } & Record<string, unknown>) => ({
  healthchecks: {
    active: {
      ...settings,
      healthy: { interval: 0.1, successes: 1, ...settings.healthy },
      unhealthy: { interval: 0.1, tcp_failures: 1, http_failures: 1, timeouts: 1, ...settings.unhealthy },
    },
  },
});

/** Health by target, as the upstream shows it. */
async function healthOf(name: string): Promise<Readonly<Record<string, string>>> {
  const { data } = await proxy.write('GET', `/upstreams/${name}/health`);
  return Object.fromEntries(data.map((row: { target: string; health: string }) => [row.target, row.health]));
}

const untilHealth = (name: string, expected: Readonly<Record<string, string>>) =>
  pollUntil(
    `health of ${name}`,
    () => healthOf(name),
    (health) => isDeepStrictEqual(health, expected),
  );

describe('without checks', () => {
  it('health is off, and shows where the weight lies', async () => {
    const targets = [{ target: two.targets[0]!, weight: 30 }];
    const { name } = await exposeUpstream(proxy, targets);
    const { body } = await proxy.admin('GET', `/upstreams/${name}/health`);
    const { id } = (await proxy.write('GET', `/upstreams/${name}/targets`)).data[0];
    const port = two.servers[0]!.port;
    expect(body).toEqual({
      data: [
        expect.objectContaining({
          id,
          target: two.targets[0],
          health: 'HEALTHCHECKS_OFF',
          data: {
            host: '127.0.0.1',
            port,
            dns: 'A',
            nodeWeight: 30,
            weight: { total: 30, available: 30, unavailable: 0 },
            addresses: [{ ip: '127.0.0.1', port, weight: 30, health: 'HEALTHCHECKS_OFF' }],
          },
        }),
      ],
      next: null,
      node_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const balancer = await proxy.admin('GET', `/upstreams/${name}/health?balancer_health=1`);
    expect(balancer.body).toMatchObject({
      data: {
        health: 'HEALTHCHECKS_OFF',
        balancer_health: 'HEALTHY',
        details: { healthy: true, weight: { total: 30 }, hosts: [{ addresses: [{ port, healthy: true }] }] },
      },
      next: null,
    });
  });

  it('a target that cannot be found is shown as such, and is not used', async () => {
    const { name, host } = await exposeUpstream(proxy, ['nowhere.invalid:80', two.targets[0]!]);
    await untilHealth(name, { 'nowhere.invalid:80': 'DNS_ERROR', [two.targets[0]!]: 'HEALTHCHECKS_OFF' });
    expect(await countAnswers(4, () => proxy.send(host))).toEqual({ 0: 4 });
  });

  it('an operator cannot set it', async () => {
    const { name } = await exposeUpstream(proxy, [two.targets[0]!]);
    const { status, body } = await proxy.admin(
      'PUT',
      `/upstreams/${name}/targets/${two.targets[0]}/unhealthy`,
    );
    expect([status, body]).toEqual([400, { message: `no healthchecker found for ${name}` }]);
  });
});

describe('an operator', () => {
  it('takes a target out and puts it back, for all workers at once', async () => {
    const { name, host } = await exposeUpstream(proxy, two.targets, passive({ tcp_failures: 1 }));
    const [one = '', other = ''] = two.targets;
    const put = (path: string) => proxy.admin('PUT', `/upstreams/${name}/targets/${path}`);
    expect((await put(`${one}/unhealthy`)).status).toBe(204);
    expect(await healthOf(name)).toEqual({ [one]: 'UNHEALTHY', [other]: 'HEALTHY' });
    expect(await countAnswers(12, () => proxy.send(host))).toEqual({ 1: 12 });
    expect((await put(`${other}/${other}/unhealthy`)).status).toBe(204);
    const refused = await proxy.send(host);
    expect([refused.status, refused.json()]).toMatchObject([503, NO_PEER]);
    expect((await put(`${one}/healthy`)).status).toBe(204);
    expect(await countAnswers(12, () => proxy.send(host))).toEqual({ 0: 12 });
  });

  it('is told when there is no such upstream, target or address', async () => {
    const { name } = await exposeUpstream(proxy, [two.targets[0]!], passive({ tcp_failures: 1 }));
    for (const path of [
      `/upstreams/none/targets/${two.targets[0]}/healthy`,
      `/upstreams/${name}/targets/${two.targets[1]}/healthy`,
      `/upstreams/${name}/targets/${two.targets[0]}/127.0.0.9:1/healthy`,
    ]) {
      expect((await proxy.admin('PUT', path)).status).toBe(404);
    }
    expect((await proxy.admin('POST', `/upstreams/${name}/targets/${two.targets[0]}/healthy`)).status).toBe(
      405,
    );
  });
});

describe('passive checks', () => {
  it('leave a target alone that refused connections, until an operator says otherwise', async () => {
    const port = await findClosedPort();
    const down = `127.0.0.1:${port}`;
    const { name, host } = await exposeUpstream(proxy, [down, two.targets[0]!], passive({ tcp_failures: 2 }));
    expect(await countAnswers(12, () => proxy.send(host))).toEqual({ 0: 12 });
    expect(await healthOf(name)).toMatchObject({ [down]: 'UNHEALTHY' });
    expect(proxy.gateway.output()).toMatch(
      /"reason":"tcp_failures","msg":"an address of an upstream is unhealthy"/,
    );
    const back = await serve((_request, response) => response.end('back'), port);
    expect(await countAnswers(8, () => proxy.send(host))).toEqual({ 0: 8 });
    await proxy.admin('PUT', `/upstreams/${name}/targets/${down}/healthy`);
    expect(await countAnswers(8, () => proxy.send(host))).toMatchObject({ back: expect.any(Number) });
    await back.stop();
  });

  it('count answers with the statuses they name, over all workers together', async () => {
    let isSick = true;
    const servers = await startServers(1, () => (_request, response) => {
      response.statusCode = isSick ? 500 : 200;
      response.end('x');
    });
    const checks = passive({ http_failures: 6, http_statuses: [500] });
    const { host } = await exposeUpstream(proxy, servers.targets, checks);
    const statuses: number[] = [];
    for (let at = 0; at < 8; at++) statuses.push((await proxy.send(host)).status);
    expect(statuses).toEqual([500, 500, 500, 500, 500, 500, 503, 503]);
    isSick = false;
    await servers.stop();
  });

  it('count timeouts apart from other failures', async () => {
    const servers = await startServers(1, () => () => {});
    const service = { read_timeout: 60, retries: 0 };
    const { host } = await exposeUpstream(proxy, servers.targets, passive({ timeouts: 1 }), service);
    expect((await proxy.send(host)).status).toBe(504);
    expect((await proxy.send(host)).status).toBe(503);
    await servers.stop();
  });

  it('never count what the gateway or a plugin answers', async () => {
    const checks = passive({ http_failures: 1, http_statuses: [403] });
    const { name, host } = await exposeUpstream(proxy, [two.targets[0]!], checks);
    const { data } = await proxy.write('GET', '/services?size=1000');
    const service = data.find((row: { host: string }) => row.host === name);
    const config = { status_code: 403 };
    await proxy.write('POST', `/services/${service.id}/plugins`, { name: 'request-termination', config });
    expect((await proxy.send(host)).status).toBe(403);
    expect(await healthOf(name)).toEqual({ [two.targets[0]!]: 'HEALTHY' });
  });
});

describe('active checks', () => {
  it('take a target out whose status is bad and put it back when it is good, without any traffic', async () => {
    const seen: string[] = [];
    let status = 500;
    const servers = await startServers(1, () => (request, response) => {
      seen.push(`${request.url} ${request.headers.host} ${request.headers['x-probe']}`);
      response.statusCode = status;
      response.end();
    });
    const [target = ''] = servers.targets;
    const checks = active({ http_path: '/status', headers: { 'x-probe': ['yes'] } });
    const { name, host } = await exposeUpstream(proxy, [target], checks);
    await untilHealth(name, { [target]: 'UNHEALTHY' });
    expect((await proxy.send(host)).json()).toMatchObject(NO_PEER);
    expect(new Set(seen)).toEqual(new Set([`/status ${target} yes`]));
    status = 200;
    await untilHealth(name, { [target]: 'HEALTHY' });
    expect((await proxy.send(host)).status).toBe(200);
    await proxy.write('DELETE', `/upstreams/${name}`);
    const before = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(seen.length).toBeLessThanOrEqual(before + 1);
    await servers.stop();
  });

  it('are made once for the node, however many workers it has', async () => {
    let probes = 0;
    const servers = await startServers(1, () => (_request, response) => {
      probes++;
      response.end();
    });
    await exposeUpstream(proxy, servers.targets, active({ healthy: { interval: 600 } }));
    await pollUntil(
      'the first probe',
      () => probes,
      (count) => count > 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(probes).toBe(1);
    await servers.stop();
  });

  it.each(['tcp', 'grpc'])('of the type %s only connect', async (type) => {
    const port = await findClosedPort();
    const target = `127.0.0.1:${port}`;
    const { name } = await exposeUpstream(proxy, [target], active({ type }));
    await untilHealth(name, { [target]: 'UNHEALTHY' });
    const server = await serve((_request, response) => response.end(), port);
    await untilHealth(name, { [target]: 'HEALTHY' });
    await server.stop();
  });

  it('give up a silent target after their timeout', async () => {
    const servers = await startServers(1, () => () => {});
    const checks = active({ timeout: 0.1, unhealthy: { tcp_failures: 0, http_failures: 0 } });
    const { name } = await exposeUpstream(proxy, servers.targets, checks);
    await untilHealth(name, { [servers.targets[0]!]: 'UNHEALTHY' });
    await servers.stop();
  });
});

it('refuses everything when what is healthy is not more than the threshold', async () => {
  const servers = await startServers(4);
  const checks = { healthchecks: { threshold: 50, passive: { unhealthy: { tcp_failures: 1 } } } };
  const { name, host } = await exposeUpstream(proxy, servers.targets, checks);
  const put = (at: number, word: string) =>
    proxy.admin('PUT', `/upstreams/${name}/targets/${servers.targets[at]}/${word}`);
  await put(0, 'unhealthy');
  expect((await proxy.send(host)).status).toBe(200);
  await put(1, 'unhealthy');
  expect((await proxy.send(host)).json()).toMatchObject(NO_PEER);
  const { body } = await proxy.admin('GET', `/upstreams/${name}/health?balancer_health=1`);
  expect(body.data).toMatchObject({
    health: 'UNHEALTHY',
    balancer_health: 'UNHEALTHY',
    details: { weight: { total: 400, available: 200, unavailable: 200 } },
  });
  await put(0, 'healthy');
  expect((await proxy.send(host)).status).toBe(200);
  await servers.stop();
});

it('survives changes around it', async () => {
  const { name, host } = await exposeUpstream(proxy, two.targets, passive({ tcp_failures: 1 }));
  await proxy.admin('PUT', `/upstreams/${name}/targets/${two.targets[0]}/unhealthy`);
  await proxy.write('PATCH', `/upstreams/${name}/targets/${two.targets[1]}`, { weight: 7 });
  await proxy.write('PATCH', `/upstreams/${name}`, { slots: 100 });
  expect(await countAnswers(8, () => proxy.send(host))).toEqual({ 1: 8 });
});

it('is a metric where the prometheus plugin is to show it', async () => {
  const { name } = await exposeUpstream(proxy, two.targets, passive({ tcp_failures: 1 }));
  const metrics = async () => (await fetch(`${proxy.gateway.statusUrl}/metrics`)).text();
  const [one = ''] = two.targets;
  expect(await metrics()).not.toContain('kong_upstream_target_health');
  await proxy.write('POST', '/plugins', { name: 'prometheus', config: { upstream_health_metrics: true } });
  await proxy.admin('PUT', `/upstreams/${name}/targets/${one}/unhealthy`);
  const lines = (await metrics())
    .split('\n')
    .filter((line) => line.includes(`upstream="${name}",target="${one}"`));
  const labels = `kong_upstream_target_health{upstream="${name}",target="${one}",address="${one}"`;
  expect(lines).toEqual([
    `${labels},state="healthchecks_off",subsystem="http"} 0`,
    `${labels},state="healthy",subsystem="http"} 0`,
    `${labels},state="unhealthy",subsystem="http"} 1`,
    `${labels},state="dns_error",subsystem="http"} 0`,
  ]);
});
