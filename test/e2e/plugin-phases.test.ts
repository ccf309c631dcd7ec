/** What third parties' plugins do to requests and answers in each phase, in a started gateway. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packModule, packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { startUpstream, type Upstream } from '../support/start-upstream.ts';
import { linesOf, type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
let elsewhere: Upstream;
beforeAll(async () => {
  [proxy, elsewhere] = await Promise.all([startProxy({ TOLLGATE_WORKERS: '1' }), startUpstream()]);
});
afterAll(async () => {
  await Promise.all([proxy?.stop(), elsewhere?.stop()]);
});

/** Instances attached to nothing must not meet the next test. */
const globals: string[] = [];
afterEach(async () => {
  for (const id of globals.splice(0)) await proxy.write('DELETE', `/plugins/${id}`);
});

async function publish(definition: string): Promise<string> {
  const name = `phases-${randomUUID().slice(0, 8)}`;
  const answer = await proxy.admin('POST', '/plugin-packages', await packPlugin({ name, definition }));
  expect(answer.status).toBe(201);
  return name;
}

async function attachToNothing(name: string, config = {}): Promise<void> {
  const { id } = await proxy.write('POST', '/plugins', { name, config });
  globals.push(id);
}

const attachTo = (routeId: string, name: string) =>
  proxy.write('POST', `/routes/${routeId}/plugins`, { name });

describe('a plugin in the rewrite phase', () => {
  it('decides the route by what it makes of path, method, host and headers', async () => {
    const { host, serviceId } = await proxy.expose();
    await proxy.write('POST', `/services/${serviceId}/routes`, {
      name: `tenant-${host}`,
      hosts: [`tenant.${host}`],
      headers: { 'x-tenant': ['gold'] },
      methods: ['PUT'],
      paths: ['/gold'],
    });
    const name = await publish(`
      rewrite(kong) {
        if (!kong.request.getHost().startsWith('rewritten')) return;
        kong.service.request.setHeader('Host', kong.request.getHost().replace('rewritten', 'tenant'));
        kong.service.request.setHeader('X-Tenant', 'gold');
        kong.service.request.setMethod('PUT');
        kong.service.request.setPath('/gold/things');
        kong.response.setHeader('X-Rewritten', kong.router.getRoute() === undefined ? 'unrouted' : 'routed');
      },
      access(kong) { kong.response.setHeader('X-Seen', kong.request.getMethod() + ' ' + kong.request.getPath()); }`);
    expect((await proxy.send(`rewritten.${host}`, '/')).status).toBe(404);
    await attachToNothing(name);
    const answer = await proxy.send(`rewritten.${host}`, '/old?a=1');
    expect(answer.status).toBe(200);
    expect(answer.header('x-rewritten')).toBe('unrouted');
    expect(answer.header('x-seen')).toBe('PUT /gold/things');
    const echo = answer.json<{ method: string; url: string; headers: [string, string][] }>();
    // The route takes `/gold` off the path, as it would of a request that came so.
    expect([echo.method, echo.url]).toEqual(['PUT', '/things?a=1']);
    expect(linesOf(echo as never, 'x-tenant')).toEqual(['gold']);
    expect((await proxy.send(host, '/')).header('x-rewritten')).toBeUndefined();
  });

  it('does not run for instances that are attached to something', async () => {
    const { host, routeId } = await proxy.expose();
    const name = await publish(`rewrite(kong) { return kong.response.exit(418); }`);
    await attachTo(routeId, name);
    expect((await proxy.send(host)).status).toBe(200);
  });

  it('answers for all, whereupon only plugins attached to nothing have a say', async () => {
    const { host, routeId } = await proxy.expose();
    const marking = await publish(
      `response(kong) { kong.response.addHeader('X-Marked', kong.response.getSource()); }`,
    );
    const local = await publish(`response(kong) { kong.response.addHeader('X-Local', 'yes'); }`);
    const refusing = await publish(`
      rewrite(kong) { return kong.response.exit(403, { no: 'way' }, { 'X-Why': 'because' }); },
      access(kong) { kong.response.setHeader('X-Accessed', 'yes'); }`);
    await attachTo(routeId, local);
    await attachToNothing(marking);
    await attachToNothing(refusing);
    const answer = await proxy.send(host);
    expect([answer.status, answer.text, answer.header('x-why')]).toEqual([403, '{"no":"way"}', 'because']);
    expect(answer.headerLines('x-marked')).toEqual(['exit']);
    expect([answer.header('x-local'), answer.header('x-accessed')]).toEqual([undefined, undefined]);
  });

  it.each([
    ['throws', `rewrite() { throw new Error('broken'); }`],
    ['never ends', `rewrite() { for (;;) {} }`],
  ])('fails requests when it %s', async (_, definition) => {
    const { host } = await proxy.expose();
    await attachToNothing(await publish(definition));
    const answer = await proxy.send(host);
    expect([answer.status, answer.json()]).toEqual([500, { message: 'An unexpected error occurred' }]);
  });

  it('reads the body and replaces it', async () => {
    const { host } = await proxy.expose();
    await attachToNothing(
      await publish(`
        capabilities: { requestBody: true },
        async rewrite(kong) { kong.service.request.setRawBody((await kong.request.getRawBody()).toUpperCase()); },
        async access(kong) { kong.response.setHeader('X-Body', await kong.request.getRawBody()); }`),
    );
    const answer = await proxy.send(host, '/', { method: 'POST', body: 'quiet' });
    expect([answer.json<{ body: string }>().body, answer.header('x-body')]).toEqual(['QUIET', 'QUIET']);
  });
});

describe('a plugin in the access phase', () => {
  const sendingElsewhere = (more = '') => `
    capabilities: { serviceTarget: true },
    schema: s.config({ port: s.port({ required: true }) }),
    access(kong, config) { kong.service.setTarget('127.0.0.1', config.port); ${more} }`;

  it('sends requests to another place than their service', async () => {
    const { host, routeId } = await proxy.expose({}, { preserve_host: true });
    const name = await publish(sendingElsewhere());
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name, config: { port: elsewhere.port } });
    const before = proxy.upstream.requestCount;
    const echo = await proxy.echo(host, '/there?a=1');
    expect(linesOf(echo, 'host')).toEqual([`127.0.0.1:${elsewhere.port}`]);
    expect([echo.url, elsewhere.lastRequest?.url, proxy.upstream.requestCount]).toEqual([
      '/there?a=1',
      '/there?a=1',
      before,
    ]);
  });

  it('sends those of a route without a service there too', async () => {
    const host = `${randomUUID()}.test`;
    const route = await proxy.write('POST', '/routes', { hosts: [host], paths: ['/api'] });
    const name = await publish(sendingElsewhere());
    expect((await proxy.send(host, '/api/x')).status).toBe(503);
    await proxy.write('POST', `/routes/${route.id}/plugins`, { name, config: { port: elsewhere.port } });
    expect((await proxy.echo(host, '/api/x')).url).toBe('/x');
  });

  it('sends requests to the targets of an upstream, and hears when there is none', async () => {
    const { host, routeId } = await proxy.expose();
    const upstream = `chosen-${routeId.slice(0, 8)}`;
    const name = await publish(`
    capabilities: { serviceTarget: true },
    schema: s.config({ upstream: s.string({ required: true }) }),
    access(kong, config) {
      const problem = kong.service.setUpstream(config.upstream);
      if (problem !== undefined) return kong.response.exit(418, { problem });
    }`);
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name, config: { upstream } });
    const refused = await proxy.send(host);
    const problem = `could not find an Upstream named '${upstream}'`;
    expect([refused.status, refused.json()]).toEqual([418, { problem }]);
    await proxy.write('POST', '/upstreams', { name: upstream });
    await proxy.write('POST', `/upstreams/${upstream}/targets`, { target: `127.0.0.1:${elsewhere.port}` });
    const before = elsewhere.requestCount;
    expect(linesOf(await proxy.echo(host), 'host')).toEqual([`127.0.0.1:${elsewhere.port}`]);
    expect(elsewhere.requestCount).toBe(before + 1);
  });

  it('cannot, when its manifest does not say so', async () => {
    const { host, routeId } = await proxy.expose();
    await attachTo(routeId, await publish(`access(kong) { kong.service.setTarget('127.0.0.1', 1); }`));
    expect((await proxy.send(host)).status).toBe(500);
  });

  it('says how long to wait for an answer, and how often to try', async () => {
    const { host, routeId } = await proxy.expose();
    await attachTo(
      routeId,
      await publish(`access(kong) { kong.service.setTimeouts(1000, 1000, 50); kong.service.setRetries(0); }`),
    );
    expect((await proxy.send(host, '/delay/2000')).status).toBe(504);
    expect((await proxy.send(host, '/')).status).toBe(200);
  });

  it('sets the status of what the service answers, but not of errors', async () => {
    const { host, routeId, serviceId } = await proxy.expose();
    await attachTo(routeId, await publish(`access(kong) { kong.response.setStatus(202); }`));
    expect((await proxy.send(host)).status).toBe(202);
    await proxy.write('PATCH', `/services/${serviceId}`, { port: 1 });
    expect((await proxy.send(host)).status).toBe(502);
  });

  it('reads what plugins of other packages have made of the request', async () => {
    const { host, routeId } = await proxy.expose();
    const first = await publish(`
      priority: 950,
      access(kong) {
        kong.service.request.setHeader('X-From', ['first', 'again']);
        kong.service.request.clearHeader('x-gone');
        kong.service.request.setRawQuery('b=2');
      }`);
    const second = await publish(`
      access(kong) {
        const { request } = kong;
        const seen = [
          request.getHeaderValues('x-from'), request.getHeader('x-gone') ?? null,
          request.getRawQuery(), request.getPathWithQuery(),
        ];
        kong.response.setHeader('X-Seen', JSON.stringify(seen));
      }`);
    await attachTo(routeId, first);
    await attachTo(routeId, second);
    const answer = await proxy.send(host, '/?a=1', { headers: { 'X-Gone': 'here' } });
    expect(JSON.parse(answer.header('x-seen') ?? '')).toEqual([['first', 'again'], null, 'b=2', '/?a=1']);
  });

  it('knows what its route takes off the path', async () => {
    const { host, routeId } = await proxy.expose({}, { paths: ['/api'] });
    await attachTo(
      routeId,
      await publish(`
      access(kong) { kong.response.setHeader('X-Prefix', kong.request.getForwardedPrefix() ?? 'none'); }`),
    );
    expect((await proxy.send(host, '/api/x')).header('x-prefix')).toBe('/api');
  });
});

describe('a plugin in later phases', () => {
  it('sees the answer of the service beside that for the client', async () => {
    const { host, routeId } = await proxy.expose();
    const name = await publish(`
      access(kong) { kong.response.setHeader('X-Made', 'by us'); },
      response(kong) {
        const { service, response } = kong;
        kong.response.setHeader('X-Seen', JSON.stringify([
          service.response.getStatus(), service.response.getHeader('x-made') ?? null, response.getHeader('x-made'),
        ]));
      }`);
    await attachTo(routeId, name);
    const answer = await proxy.send(host, '/headers?X-Made=by%20service');
    expect(JSON.parse(answer.header('x-seen') ?? '')).toEqual([200, 'by service', 'by us']);
  });

  it('writes the record of the request, with what plugins of other packages have added', async () => {
    const { host, routeId, serviceId } = await proxy.expose();
    const adding = await publish(`access(kong) { kong.log.setSerializeValue('ai.count', 7); }`);
    const writing = await publish(
      `log(kong) { kong.log.notice('record ' + JSON.stringify(kong.log.serialize())); }`,
    );
    await attachTo(routeId, adding);
    await attachTo(routeId, writing);
    await proxy.send(host, '/status/201?x=1', { headers: { Authorization: 'Bearer secret' } });
    const record = () => proxy.gateway.output().replaceAll('\\"', '"').split('record {')[1] ?? '';
    const line = await pollUntil('the record', record, (text) => text.includes('"started_at"'));
    expect(line).toContain('"ai":{"count":7}');
    expect(line).toContain(`"upstream_uri":"/status/201?x=1","upstream_status":"201"`);
    expect(line).toContain(`"tries":[{"ip":"127.0.0.1","port":${proxy.upstream.port}}]`);
    expect(line).toContain(`"service":{"id":"${serviceId}"`);
    expect(line).not.toContain('Bearer secret');
  });
});

describe('a plugin written for kong-pdk', () => {
  async function publishPorted(name: string): Promise<void> {
    const module = new URL(`../plugins/fixtures/kong-pdk/${name}.js`, import.meta.url);
    const answer = await proxy.admin(
      'POST',
      '/plugin-packages',
      await packModule(`kit-${name}`, '0.1.0', module),
    );
    expect(answer.status).toBe(201);
  }

  it('rewrites both bodies of what passes through', async () => {
    const { host, routeId } = await proxy.expose();
    await publishPorted('transform');
    await attachTo(routeId, 'kit-transform');
    const answer = await proxy.send(host, '/?a=1', { method: 'POST', body: 'žluť' });
    const [before, echo = ''] = answer.text.split(' became ');
    expect([answer.status, before]).toEqual([200, 'žluť']);
    expect(JSON.parse(echo)).toMatchObject({ url: '/?a=1&from=transform', body: 'ŽLUŤ' });
  });

  it('answers for good, although its method goes on, and lets nobody in when it fails', async () => {
    const { host, routeId } = await proxy.expose();
    await publishPorted('status');
    await attachTo(routeId, 'kit-status');
    const refused = await proxy.send(host);
    expect([refused.status, refused.text, refused.header('x-user')]).toEqual([
      403,
      '{"message":"no userid"}',
      undefined,
    ]);

    const failing = await proxy.expose();
    await publishPorted('failing');
    await proxy.write('POST', `/routes/${failing.routeId}/plugins`, {
      name: 'kit-failing',
      config: { how: 'throw' },
    });
    expect((await proxy.send(failing.host)).status).toBe(500);
  });

  it('answers with what it has brought along', async () => {
    const { host, routeId } = await proxy.expose();
    await publishPorted('graphql');
    await attachTo(routeId, 'kit-graphql');
    const answer = await proxy.send(host, '/', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: '{ hello }' }),
    });
    expect([answer.status, answer.json()]).toEqual([200, { data: { hello: 'hello world' } }]);
  });
});
