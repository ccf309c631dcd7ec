import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions, SentAnswer } from '../support/send-request.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy?.stop());

/** A host that other sites may call. */
async function share(config: Record<string, unknown> = {}): Promise<string> {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'cors', config });
  return host;
}

const ORIGIN = 'https://site.test';

function preflight(host: string, headers: RequestOptions['headers'] = {}): Promise<SentAnswer> {
  const asked = { Origin: ORIGIN, 'Access-Control-Request-Method': 'PUT', ...headers };
  return proxy.send(host, '/', { method: 'OPTIONS', headers: asked });
}

/** What the answer says to browsers, `Vary` included. */
function saidBy(answer: SentAnswer): Record<string, string> {
  const said = answer.headers.filter(([name]) => name === 'vary' || name.startsWith('access-control-'));
  return Object.fromEntries(said.map(([name]) => [name, answer.headerLines(name).join(' & ')]));
}

const ALL_METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';

describe('a preflight', () => {
  it('is answered in place of the service, with an empty body', async () => {
    const host = await share();
    const before = proxy.upstream.requestCount;
    const answer = await preflight(host);
    expect([answer.status, answer.text, answer.header('content-length')]).toEqual([200, '', '0']);
    expect(saidBy(answer)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': ALL_METHODS,
    });
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it('hears of everything that is configured', async () => {
    const host = await share({
      origins: [ORIGIN, 'https://other.test'],
      headers: ['X-One', 'X-Two'],
      exposed_headers: ['X-Three'],
      methods: ['GET', 'PUT'],
      max_age: 23,
      credentials: true,
      private_network: true,
    });
    const asked = {
      'Access-Control-Request-Headers': 'x-else',
      'Access-Control-Request-Private-Network': 'true',
    };
    expect(saidBy(await preflight(host, asked))).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'X-One,X-Two',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-max-age': '23',
      'access-control-allow-private-network': 'true',
    });
    expect(saidBy(await preflight(host))['access-control-allow-private-network']).toBeUndefined();
    expect(
      saidBy(await preflight(host, { Origin: 'https://evil.test' }))['access-control-allow-origin'],
    ).toBe(undefined);
  });

  it('is told of all methods where none are configured', async () => {
    const answer = await preflight(await share({ methods: null }));
    expect(answer.header('access-control-allow-methods')).toBe(ALL_METHODS);
  });

  it('gets the headers it asked for back where none are configured', async () => {
    const answer = await preflight(await share(), { 'Access-Control-Request-Headers': 'x-a, x-b' });
    expect(answer.header('access-control-allow-headers')).toBe('x-a, x-b');
  });

  it('is answered before anybody has to say who they are', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'cors' });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    expect((await preflight(host)).status).toBe(200);
    const refusal = await proxy.send(host, '/', { headers: { Origin: ORIGIN } });
    expect(refusal.status).toBe(401);
    expect(saidBy(refusal)).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('goes to the service with preflight_continue, and nothing is added to its answer', async () => {
    const answer = await preflight(await share({ preflight_continue: true, origins: [ORIGIN] }));
    expect(answer.json<{ method: string }>().method).toBe('OPTIONS');
    expect(saidBy(answer)).toEqual({});
  });

  it.each([
    ['no origin', { Origin: undefined }],
    ['no method to ask for', { 'Access-Control-Request-Method': undefined }],
  ])('is none with %s', async (_, without) => {
    const host = await share();
    const headers = Object.fromEntries(
      Object.entries({ Origin: ORIGIN, 'Access-Control-Request-Method': 'PUT', ...without }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    const answer = await proxy.send(host, '/', { method: 'OPTIONS', headers });
    expect(answer.json<{ method: string }>().method).toBe('OPTIONS');
    expect(saidBy(answer)).toEqual({ 'access-control-allow-origin': '*' });
  });
});

describe('any other request', () => {
  const ask = async (host: string, origin = ORIGIN, path = '/') =>
    saidBy(await proxy.send(host, path, { headers: { Origin: origin } }));

  it('may come from anywhere when nothing is configured, and caches need not tell origins apart', async () => {
    expect(await ask(await share())).toEqual({ 'access-control-allow-origin': '*' });
    expect(saidBy(await proxy.send(await share()))).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('hears which headers its page may read', async () => {
    const host = await share({ exposed_headers: ['X-One', 'X-Two'], max_age: 5, methods: ['GET'] });
    expect(await ask(host)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'X-One,X-Two',
    });
  });

  it('is told of the one plain origin, wherever it comes from', async () => {
    const host = await share({ origins: [ORIGIN] });
    expect(await ask(host, 'https://evil.test')).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': ORIGIN,
    });
  });

  it('is told of its own origin where that is among those allowed', async () => {
    const host = await share({ origins: ['http://plain.test:8080', '.*\\.regex\\.test'] });
    const allowedTo = async (origin: string) => (await ask(host, origin))['access-control-allow-origin'];
    expect(await allowedTo('http://plain.test:8080')).toBe('http://plain.test:8080');
    expect(await allowedTo('https://a.regex.test:443')).toBe('https://a.regex.test');
    expect(await allowedTo('https://a.regex.test.evil')).toBeUndefined();
    expect(await allowedTo('null')).toBeUndefined();
    expect(await allowedTo('x'.repeat(3000))).toBeUndefined();
  });

  it('loses what the service allows when its origin is not allowed here', async () => {
    const host = await share({ origins: [ORIGIN, 'https://other.test'] });
    const path = '/headers?Access-Control-Allow-Origin=https://evil.test&Vary=Accept';
    expect(await ask(host, 'https://evil.test', path)).toEqual({ vary: 'Accept & Origin' });
    expect(await ask(host, ORIGIN, path)).toEqual({
      vary: 'Accept & Origin',
      'access-control-allow-origin': ORIGIN,
    });
  });

  it('may send credentials, to a named origin alone', async () => {
    const host = await share({ credentials: true });
    expect(await ask(host)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
    });
    expect(saidBy(await proxy.send(host))).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('finds it on errors of the gateway, too', async () => {
    const { host, routeId } = await proxy.expose({ host: '127.0.0.1', port: 1 });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'cors', config: { origins: [ORIGIN] } });
    const answer = await proxy.send(host, '/', { headers: { Origin: ORIGIN } });
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([502, ORIGIN]);
  });

  it('finds it where no route matches, when the plugin is global', async () => {
    const { id } = await proxy.write('POST', '/plugins', { name: 'cors' });
    const answer = await proxy.send('nowhere.test', '/', { headers: { Origin: ORIGIN } });
    const asked = await preflight('nowhere.test');
    await proxy.write('DELETE', `/plugins/${id}`);
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([404, '*']);
    expect([asked.status, asked.header('access-control-allow-origin')]).toEqual([404, '*']);
  });
});

describe('the configuration', () => {
  const write = (config: unknown, more: object = {}) =>
    proxy.admin('POST', '/plugins', { name: 'cors', config, ...more });

  it('has defaults', async () => {
    const { body } = await write({});
    await proxy.write('DELETE', `/plugins/${body.id}`);
    expect(body.config).toEqual({
      origins: null,
      headers: null,
      exposed_headers: null,
      methods: ALL_METHODS.split(','),
      max_age: null,
      credentials: false,
      private_network: false,
      preflight_continue: false,
    });
  });

  it('takes `*` and regular expressions for origins, and names what is neither', async () => {
    expect((await write({ origins: ['*', '[', '(a'] })).body).toMatchObject({
      code: 2,
      fields: { config: { origins: [null, "'[' is not a valid regex", "'(a' is not a valid regex"] } },
    });
  });

  it('knows nine methods', async () => {
    expect((await write({ methods: ['GET', 'BREW'] })).body.fields.config.methods[1]).toBe(
      `expected one of: ${ALL_METHODS.replaceAll(',', ', ')}`,
    );
  });

  it('is never that of one consumer', async () => {
    const { id } = await proxy.write('POST', '/consumers', { username: 'somebody' });
    expect((await write({}, { consumer: { id } })).body.fields).toEqual({ consumer: 'value must be null' });
  });

  it('is described under /schemas', async () => {
    const { body } = await proxy.admin('GET', '/schemas/plugins/cors');
    expect(JSON.stringify(body)).toContain('"preflight_continue":{"type":"boolean"');
  });
});
