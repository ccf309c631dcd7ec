import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy?.stop());

async function terminate(config: Record<string, unknown> = {}, route: object = {}): Promise<string> {
  const { host, routeId } = await proxy.expose({}, route as Record<string, unknown>);
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'request-termination', config });
  return host;
}

const JSON_TYPE = 'application/json; charset=utf-8';

describe('the answer', () => {
  it('is 503 by itself, and the service hears nothing', async () => {
    const host = await terminate();
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(host, '/', { headers: { Accept: 'text/html' } });
    expect([answer.status, answer.header('content-type'), answer.text]).toEqual([
      503,
      JSON_TYPE,
      '{"message":"Service unavailable"}',
    ]);
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it.each([
    [401, '{"message":"Unauthorized"}'],
    [404, '{"message":"Not found"}'],
    [405, '{"message":"Method not allowed"}'],
    [500, '{"message":"An unexpected error occurred"}'],
    [502, '{"message":"Bad Gateway"}'],
    [403, ''],
    [200, ''],
    [204, ''],
    [599, ''],
  ])('with %i alone says %j', async (status, text) => {
    const answer = await proxy.send(await terminate({ status_code: status }));
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it('carries the message', async () => {
    const answer = await proxy.send(await terminate({ status_code: 418, message: 'a "pot"' }));
    expect([answer.status, answer.header('content-type'), answer.text]).toEqual([
      418,
      JSON_TYPE,
      '{"message":"a \\"pot\\""}',
    ]);
  });

  it('is the body word for word, with its type', async () => {
    const body = `<p>gone – ${'x'.repeat(100_000)}</p>\n`;
    const answer = await proxy.send(await terminate({ status_code: 404, content_type: 'text/html', body }));
    expect([answer.status, answer.header('content-type')]).toEqual([404, 'text/html']);
    expect(answer.text).toBe(body);
  });

  it('has no body for HEAD', async () => {
    const answer = await proxy.send(await terminate({ body: 'some text' }), '/', { method: 'HEAD' });
    expect([answer.status, answer.text, answer.header('content-length')]).toEqual([503, '', '9']);
  });

  it('comes after all other plugins had their say', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'request-termination' });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    expect((await proxy.send(host)).status).toBe(401);
  });

  it('is given by a route without a service', async () => {
    const { id } = await proxy.write('POST', '/routes', { hosts: ['bare.test'] });
    expect((await proxy.send('bare.test')).status).toBe(503);
    await proxy.write('POST', `/routes/${id}/plugins`, {
      name: 'request-termination',
      config: { status_code: 200, message: 'fine' },
    });
    expect((await proxy.send('bare.test')).text).toBe('{"message":"fine"}');
  });

  it('can be for one consumer alone', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    for (const username of ['paying', 'owing']) {
      await proxy.write('POST', '/consumers', { username });
      await proxy.write('POST', `/consumers/${username}/key-auth`, { key: `key of ${username}` });
    }
    await proxy.write('POST', '/consumers/owing/plugins', {
      name: 'request-termination',
      config: { status_code: 402, message: 'pay first' },
    });
    const ask = async (apikey: string) => (await proxy.send(host, '/', { headers: { apikey } })).status;
    expect([await ask('key of paying'), await ask('key of owing')]).toEqual([200, 402]);
  });
});

describe('a trigger', () => {
  it('has to be there, as a header or as an argument, with whatever value', async () => {
    const host = await terminate({ trigger: 'X-Stop' });
    expect((await proxy.send(host)).status).toBe(200);
    expect((await proxy.send(host, '/', { headers: { 'x-stop': '' } })).status).toBe(503);
    expect((await proxy.send(host, '/?X-Stop')).status).toBe(503);
    expect((await proxy.send(host, '/?a=1&X-Stop=2')).status).toBe(503);
    expect((await proxy.send(host, '/?a=X-Stop')).status).toBe(200);
  });

  it('is never found among what every object has', async () => {
    expect((await proxy.send(await terminate({ trigger: 'constructor' }))).status).toBe(200);
  });
});

describe('an echo', () => {
  it('tells the client what the gateway makes of its request', async () => {
    const host = await terminate(
      { echo: true, status_code: 404 },
      { name: 'echoed', paths: ['~/items/(?<item>\\w+)/(\\d+)$'], hosts: ['echo.test'] },
    );
    const answer = await proxy.send(host, '/items/ball/7?a=1&a=2&b', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Twice': ['1', '2'] },
      body: '{"n":1}',
    });
    expect([answer.status, answer.header('content-type')]).toEqual([404, JSON_TYPE]);
    const { node_id } = (await proxy.admin('GET', '/')).body;
    const echo = answer.json<Record<string, unknown>>();
    expect(echo).toMatchObject({
      message: 'Not found',
      kong: { node_id },
      request: {
        scheme: 'http',
        host: 'echo.test',
        port: proxy.port,
        headers: { host: 'echo.test', 'x-twice': ['1', '2'] },
        query: { a: ['1', '2'], b: true },
        body: { n: 1 },
        raw_body: '{"n":1}',
        method: 'POST',
        path: '/items/ball/7',
        uri_captures: { unnamed: ['ball', '7'], named: { item: 'ball' } },
      },
      matched_route: { name: 'echoed' },
      matched_service: { host: proxy.upstream.host },
    });
    const { worker_pid, hostname } = echo['kong'] as { worker_pid: number; hostname: string };
    expect([worker_pid > 0, hostname.length > 0]).toEqual([true, true]);
  });

  it('goes without a body that is too large to hold, or cannot be read', async () => {
    const host = await terminate({ echo: true, message: 'seen' });
    const headers = { 'Content-Type': 'application/json' };
    const large = await proxy.send(host, '/', { method: 'POST', headers, body: 'x'.repeat(2_000_000) });
    expect(large.json<{ message: string; request: object }>().message).toBe('seen');
    expect(large.json<{ request: object }>().request).not.toHaveProperty('raw_body');
    const broken = await proxy.send(host, '/', { method: 'POST', headers, body: '{"a":\x01' });
    expect(broken.json<{ request: object }>().request).toMatchObject({ raw_body: '{"a":\x01' });
    expect(broken.json<{ request: object }>().request).not.toHaveProperty('body');
  });

  it('shows no captures where the path is no pattern', async () => {
    const answer = await proxy.send(await terminate({ echo: true }), '/a%0Ab');
    expect(answer.json<{ request: object }>().request).toMatchObject({
      uri_captures: { unnamed: [], named: {} },
    });
  });

  it('waits for its trigger', async () => {
    const host = await terminate({ echo: true, trigger: 'x-echo' });
    expect((await proxy.send(host)).status).toBe(200);
    expect((await proxy.send(host, '/?x-echo')).json()).toHaveProperty('request.query', { 'x-echo': true });
  });
});

describe('the configuration', () => {
  it('has defaults', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'request-termination',
    });
    expect(config).toEqual({
      status_code: 503,
      message: null,
      content_type: null,
      body: null,
      echo: false,
      trigger: null,
    });
  });

  it.each([
    [{ message: 'a', body: 'b' }, 'message cannot be used with content_type or body'],
    [{ message: 'a', content_type: 'b', body: 'c' }, 'message cannot be used with content_type or body'],
    [{ content_type: 'text/plain' }, 'content_type requires a body'],
    [{ echo: true, body: 'b' }, 'echo cannot be used with content_type and body'],
    [{ status_code: 99 }, { status_code: 'value should be between 100 and 599' }],
    [{ status_code: 600 }, { status_code: 'value should be between 100 and 599' }],
    [{ status_code: 'x' }, { status_code: 'expected an integer' }],
    [{ body: '' }, { body: 'length must be at least 1' }],
  ])('refuses %j', async (config, errors) => {
    const { status, body } = await proxy.admin('POST', '/plugins', { name: 'request-termination', config });
    expect([status, body.fields]).toEqual([400, { config: errors }]);
  });
});
