import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exposed, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { type Metrics, scrape } from './metrics-text.ts';

let proxy: ProxyUnderTest;
const ALL = {
  status_code_metrics: true,
  latency_metrics: true,
  bandwidth_metrics: true,
  upstream_health_metrics: true,
};
const GAUGES = [
  'kong_datastore_reachable',
  'kong_memory_workers_lua_vms_bytes',
  'kong_nginx_connections_total',
  'kong_nginx_requests_total',
  'kong_nginx_timers',
  'kong_node_info',
];

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
});
afterAll(() => proxy?.stop());

const metrics = (): Promise<Metrics> => scrape(proxy.gateway.statusUrl);

const enable = (config: object, scope = '') =>
  proxy.write('POST', `${scope}/plugins`, { name: 'prometheus', config });

async function exposeNamed(): Promise<Exposed & { readonly service: string; readonly route: string }> {
  const [service, route] = [`service-${randomUUID()}`, `route-${randomUUID()}`];
  return { ...(await proxy.expose({ name: service }, { name: route })), service, route };
}

const requests = (service: string, route: string, code: number, source: string, consumer = '') =>
  `kong_http_requests_total{service="${service}",route="${route}",code="${code}",source="${source}",workspace="default",consumer="${consumer}"}`;

const bandwidth = (service: string, route: string, direction: string, consumer = '') =>
  `kong_bandwidth_bytes{service="${service}",route="${route}",direction="${direction}",workspace="default",consumer="${consumer}"}`;

async function makeConsumer(): Promise<{
  readonly username: string;
  readonly headers: { readonly apikey: string };
}> {
  const { id, username } = await proxy.write('POST', '/consumers', { username: `user-${randomUUID()}` });
  const { key } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
  return { username, headers: { apikey: key } };
}

/** What Kong has too: nothing else may be under its names. */
const isKongs = ({ name }: { readonly name: string }): boolean => name.startsWith('kong_');

describe('/metrics', () => {
  it('shows the gauges of the node alone while the plugin is nowhere enabled', async () => {
    const { host } = await proxy.expose();
    await proxy.send(host);
    const { families } = await metrics();
    expect(families.filter(isKongs).map(({ name }) => name)).toEqual(GAUGES);
    expect(new Set(families.filter(isKongs).map(({ type }) => type))).toEqual(new Set(['gauge']));
  });

  it('shows what packages of plugins cost under names of its own', async () => {
    const { families } = await metrics();
    const ours = families.filter((family) => !isKongs(family)).map(({ name }) => name);
    expect(ours).toContain('tollgate_sandbox_cpu_seconds_total');
    expect(ours.filter((name) => !name.startsWith('tollgate_'))).toEqual([]);
  });

  it('is on the status listener and on the Admin API, as Prometheus text', async () => {
    for (const url of [proxy.gateway.statusUrl, proxy.gateway.adminUrl]) {
      const response = await fetch(`${url}/metrics`);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/plain; charset=UTF-8',
      ]);
      expect(await response.text()).toMatch(/^# HELP kong_/);
    }
  });

  it('tells of the node', async () => {
    const { node_id: nodeId, tollgate } = (await proxy.admin('GET', '/')).body;
    const found = await metrics();
    expect(found.value('kong_datastore_reachable')).toBe(1);
    expect(found.value(`kong_node_info{node_id="${nodeId}",version="${tollgate.version}"}`)).toBe(1);
    const states = ['accepted', 'active', 'handled', 'reading', 'total', 'waiting', 'writing'];
    expect(found.named('kong_nginx_connections_total')).toEqual(
      states.map(
        (state) => `kong_nginx_connections_total{node_id="${nodeId}",subsystem="http",state="${state}"}`,
      ),
    );
    expect(found.named('kong_nginx_requests_total')).toEqual([
      `kong_nginx_requests_total{node_id="${nodeId}",subsystem="http"}`,
    ]);
    expect(found.named('kong_memory_workers_lua_vms_bytes')).toHaveLength(2);
    expect(found.named('kong_nginx_timers')).toEqual([
      'kong_nginx_timers{state="pending"}',
      'kong_nginx_timers{state="running"}',
    ]);
  });
});

describe('an instance', () => {
  it('counts nothing but what it is told to', async () => {
    const { host, serviceId, service } = await exposeNamed();
    const { id } = await enable({}, `/services/${serviceId}`);
    await proxy.send(host);
    const found = await metrics();
    expect(found.text).not.toContain(service);
    expect(found.value('kong_nginx_metric_errors_total')).toBe(0);
    await proxy.write('DELETE', `/plugins/${id}`);
  });

  it('counts the requests of its scope by status and by who answered', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    const { id } = await enable(ALL, `/services/${serviceId}`);
    const elsewhere = await exposeNamed();
    const { headers } = await makeConsumer();
    for (const path of ['/', '/', '/status/404', '/status/503']) await proxy.send(host, path, { headers });
    await proxy.send(host);
    await proxy.send(elsewhere.host);
    const found = await metrics();
    expect(found.value(requests(service, route, 200, 'service'))).toBe(2);
    expect(found.value(requests(service, route, 404, 'service'))).toBe(1);
    expect(found.value(requests(service, route, 503, 'service'))).toBe(1);
    expect(found.value(requests(service, route, 401, 'kong'))).toBe(1);
    expect(found.text).not.toContain(elsewhere.service);
    await proxy.write('DELETE', `/plugins/${id}`);
  });

  it('names consumers only with per_consumer', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    const { id } = await enable(ALL, `/services/${serviceId}`);
    const { username, headers } = await makeConsumer();
    await proxy.send(host, '/', { headers });
    expect((await metrics()).text).not.toContain(username);
    await proxy.write('PATCH', `/plugins/${id}`, { config: { per_consumer: true } });
    await proxy.send(host, '/', { headers });
    await proxy.send(host);
    const found = await metrics();
    expect(found.value(requests(service, route, 200, 'service'))).toBe(1);
    expect(found.value(requests(service, route, 200, 'service', username))).toBe(1);
    expect(found.value(requests(service, route, 401, 'kong'))).toBe(1);
    expect(found.value(bandwidth(service, route, 'egress', username))).toBeGreaterThan(0);
    await proxy.write('DELETE', `/plugins/${id}`);
  });

  it('counts the bytes of heads and bodies both ways', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    const { id } = await enable({ bandwidth_metrics: true }, `/services/${serviceId}`);
    const body = 'x'.repeat(1000);
    const answer = await proxy.send(host, '/bytes/5000', { method: 'POST', body });
    const found = await metrics();
    const [ingress, egress] = ['ingress', 'egress'].map((way) => found.value(bandwidth(service, route, way)));
    expect(ingress).toBeGreaterThan(1000 + 'POST /bytes/5000 HTTP/1.1\r\n'.length + host.length);
    expect(ingress).toBeLessThan(1300);
    const headBytes = answer.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
    expect(egress).toBeGreaterThanOrEqual(5000 + headBytes);
    expect(egress).toBeLessThan(5000 + headBytes + 300);
    await proxy.write('DELETE', `/plugins/${id}`);
  });

  it('sorts latencies into the buckets of the contract, cumulatively', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    const { id } = await enable({ latency_metrics: true }, `/services/${serviceId}`);
    const { headers } = await makeConsumer();
    for (const path of ['/', '/delay/120']) await proxy.send(host, path, { headers });
    await proxy.send(host);
    const found = await metrics();
    const series = `service="${service}",route="${route}",workspace="default"`;
    const upstream = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000];
    const gateway = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000];
    const histograms = {
      kong_kong_latency_ms: gateway,
      kong_request_latency_ms: upstream,
      kong_upstream_latency_ms: upstream,
    };
    for (const [name, bounds] of Object.entries(histograms)) {
      const buckets = found.named(`${name}_bucket`).filter((sample) => sample.includes(service));
      expect(buckets).toEqual([...bounds, '+Inf'].map((le) => `${name}_bucket{${series},le="${le}"}`));
      const counts = buckets.map((sample) => found.value(sample));
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts.at(-1)).toBe(found.value(`${name}_count{${series}}`));
      expect(found.value(`${name}_sum{${series}}`)).toBeGreaterThanOrEqual(0);
    }
    // Nothing was sent upstream for the refused one.
    expect(found.value(`kong_upstream_latency_ms_count{${series}}`)).toBe(2);
    expect(found.value(`kong_request_latency_ms_count{${series}}`)).toBe(3);
    expect(found.value(`kong_upstream_latency_ms_bucket{${series},le="100"}`)).toBeLessThan(2);
    await proxy.write('DELETE', `/plugins/${id}`);
  });

  it('keeps what was counted while it is disabled or gone, and goes on from there', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    const sample = requests(service, route, 200, 'service');
    const { id } = await enable(ALL, `/services/${serviceId}`);
    await proxy.send(host);
    expect((await metrics()).value(sample)).toBe(1);
    await proxy.write('PATCH', `/plugins/${id}`, { enabled: false });
    await proxy.send(host);
    expect((await metrics()).families.filter(isKongs).map(({ name }) => name)).toEqual(GAUGES);
    await proxy.write('PATCH', `/plugins/${id}`, { enabled: true });
    await proxy.send(host);
    expect((await metrics()).value(sample)).toBe(2);
    await proxy.write('DELETE', `/plugins/${id}`);
    expect((await metrics()).families.filter(isKongs).map(({ name }) => name)).toEqual(GAUGES);
    const again = await enable({ status_code_metrics: true });
    await proxy.send(host);
    expect((await metrics()).value(sample)).toBe(3);
    await proxy.write('DELETE', `/plugins/${again.id}`);
  });
});

describe('a global instance', () => {
  let id: string;
  beforeAll(async () => {
    ({ id } = await enable({ ...ALL, per_consumer: true }));
  });
  afterAll(() => proxy.write('DELETE', `/plugins/${id}`));

  it('does not count what matched no route', async () => {
    const before = (await metrics()).named('kong_http_requests_total');
    expect((await proxy.send('nowhere.test')).status).toBe(404);
    const after = await metrics();
    expect(after.named('kong_http_requests_total')).toEqual(before);
    expect(after.text).not.toContain('code="404",source="kong"');
  });

  it('names a service by its host and a route by its id where they have no name', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.send(host);
    expect((await metrics()).value(requests(proxy.upstream.host, routeId, 200, 'service'))).toBe(1);
  });

  it('leaves the service empty for a route without one', async () => {
    const host = `${randomUUID()}.test`;
    const { id: routeId } = await proxy.write('POST', '/routes', { hosts: [host] });
    expect((await proxy.send(host)).status).toBe(503);
    expect((await metrics()).value(requests('', routeId, 503, 'kong'))).toBe(1);
  });

  it('counts what the gateway answers itself: 429, 502, 500', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, {
      name: 'rate-limiting',
      config: { year: 1 },
    });
    for (let sent = 0; sent < 3; sent++) await proxy.send(host);
    const broken = await proxy.expose({ port: 1, retries: 0 }, { name: `broken-${randomUUID()}` });
    expect((await proxy.send(broken.host)).status).toBe(502);
    const failing = await exposeNamed();
    await proxy.write('POST', `/services/${failing.serviceId}/plugins`, {
      name: 'key-auth',
      config: { anonymous: 'nobody' },
    });
    expect((await proxy.send(failing.host)).status).toBe(500);
    const found = await metrics();
    expect(found.value(requests(service, route, 200, 'service'))).toBe(1);
    expect(found.value(requests(service, route, 429, 'kong'))).toBe(2);
    expect(found.value(requests(failing.service, failing.route, 500, 'kong'))).toBe(1);
    expect(
      found.named('kong_http_requests_total').filter((sample) => sample.includes('code="502",source="kong"')),
    ).toHaveLength(1);
  });

  it('counts a client that leaves before its answer as 499', async () => {
    const { host, service, route } = await exposeNamed();
    const before = proxy.upstream.requestCount;
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET /delay/2000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await expect.poll(() => proxy.upstream.requestCount).toBe(before + 1);
    socket.destroy();
    await expect
      .poll(async () => (await metrics()).text)
      .toContain(`service="${service}",route="${route}",code="499"`);
  });

  it('writes labels so that a scraper can read them', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    const username = 'quo"te\\back ünicode';
    const { id: consumerId } = await proxy.write('POST', '/consumers', { username });
    const { key } = await proxy.write('POST', `/consumers/${consumerId}/key-auth`, {});
    await proxy.send(host, '/', { headers: { apikey: key } });
    expect(
      (await metrics()).value(requests(service, route, 200, 'service', 'quo\\"te\\\\back ünicode')),
    ).toBe(1);
  });

  it('gives way to a narrower one', async () => {
    const { host, serviceId, service } = await exposeNamed();
    await enable({ bandwidth_metrics: true }, `/services/${serviceId}`);
    await proxy.send(host);
    const found = await metrics();
    expect(found.named('kong_bandwidth_bytes').filter((sample) => sample.includes(service))).toHaveLength(2);
    expect(found.named('kong_http_requests_total').filter((sample) => sample.includes(service))).toEqual([]);
  });

  it('writes each family once, sorted by name, with its samples behind it sorted by labels', async () => {
    const { text, families } = await metrics();
    const names = families.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].toSorted());
    expect(families.every(({ type, help }) => type !== '' && help !== '')).toBe(true);
    const counted = text.split('\n').filter((line) => line.startsWith('kong_http_requests_total{'));
    expect(counted).toEqual(counted.toSorted());
  });

  it('counts every request once, over all workers', async () => {
    const { host, service, route } = await exposeNamed();
    await Promise.all(Array.from({ length: 60 }, () => proxy.send(host)));
    const sample = requests(service, route, 200, 'service');
    const scraped = await Promise.all([metrics(), scrape(proxy.gateway.adminUrl), metrics()]);
    expect(scraped.map((found) => found.value(sample))).toEqual([60, 60, 60]);
  });
});

describe('the Admin API', () => {
  it('takes the name metrics and shows prometheus, in JSON and in a form', async () => {
    const { serviceId, routeId } = await proxy.expose();
    const json = await proxy.write('POST', `/services/${serviceId}/plugins`, {
      name: 'metrics',
      config: { per_consumer: true },
    });
    expect([json.name, json.config.per_consumer]).toEqual(['prometheus', true]);
    const form = await fetch(`${proxy.gateway.adminUrl}/routes/${routeId}/plugins`, {
      method: 'POST',
      body: new URLSearchParams('name=metrics&config.per_consumer=true'),
    });
    expect(form.status).toBe(201);
    expect(await form.json()).toMatchObject({
      name: 'prometheus',
      config: { per_consumer: true, latency_metrics: false },
    });
    const again = await proxy.admin('POST', `/services/${serviceId}/plugins`, { name: 'prometheus' });
    expect(again.status).toBe(409);
    await proxy.write('DELETE', `/plugins/${json.id}`);
  });

  it('lists the plugins of this node', async () => {
    const { body } = await proxy.admin('GET', '/plugins/enabled');
    expect(body.enabled_plugins.toSorted()).toEqual([
      'acl',
      'basic-auth',
      'correlation-id',
      'cors',
      'ip-restriction',
      'jwt',
      'key-auth',
      'opentelemetry',
      'prometheus',
      'rate-limiting',
      'request-termination',
      'request-transformer',
    ]);
  });

  it('describes the configuration', async () => {
    const { status, body } = await proxy.admin('GET', '/schemas/plugins/prometheus');
    expect(status).toBe(200);
    const config = body.fields.find((field: object) => 'config' in field).config;
    const off = { type: 'boolean', required: true, default: false };
    const names = [
      'per_consumer',
      'status_code_metrics',
      'ai_metrics',
      'latency_metrics',
      'bandwidth_metrics',
      'upstream_health_metrics',
    ];
    expect(config.fields.toSorted()).toEqual(
      expect.arrayContaining(names.map((name) => ({ [name]: expect.objectContaining(off) }))),
    );
    expect(config.fields).toHaveLength(names.length);
  });

  it('can be attached to a consumer', async () => {
    const { host, serviceId, service, route } = await exposeNamed();
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    const { username, headers } = await makeConsumer();
    await enable({ status_code_metrics: true, per_consumer: true }, `/consumers/${username}`);
    await proxy.send(host, '/', { headers });
    await proxy.send(host);
    const found = await metrics();
    expect(found.value(requests(service, route, 200, 'service', username))).toBe(1);
    expect(found.text).not.toContain(requests(service, route, 401, 'kong'));
  });
});
