import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRaw } from '../../support/raw-http.ts';
import type { EchoedRequest } from '../../support/start-upstream.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import type { RequestOptions } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;
let database: TestDatabase;
/** alice, who has a key in most tests. */
let alice: {
  readonly id: string;
  readonly username: string;
  readonly key: string;
  readonly credentialId: string;
};

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy({ DATABASE_URL: database.url, TOLLGATE_WORKERS: '2' });
  alice = await makeConsumer({ username: 'alice', custom_id: 'a-1' });
});
afterAll(async () => {
  await proxy?.stop();
  await database?.drop();
});

async function makeConsumer(fields: Record<string, unknown> = {}) {
  const { id, username } = await proxy.write('POST', '/consumers', { username: randomUUID(), ...fields });
  const { key, id: credentialId } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
  return { id, username, key, credentialId } as typeof alice;
}

/** A host behind key-auth. */
async function protect(config: Record<string, unknown> = {}): Promise<string> {
  const { host, serviceId } = await proxy.expose();
  await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth', config });
  return host;
}

/** What the upstream received, or the status and message of the refusal. */
async function outcome(host: string, path = '/', options: RequestOptions = {}): Promise<string> {
  const answer = await proxy.send(host, path, options);
  return answer.status === 200
    ? 'let through'
    : `${answer.status} ${answer.json<{ message: string }>().message}`;
}

const THROUGH = 'let through';
const NO_KEY = '401 No API key found in request';
const REPEATED = '401 Duplicate API key found';
const UNKNOWN = '401 Unauthorized';
const withKey = (key = alice.key, more: RequestOptions['headers'] = {}) => ({
  headers: { apikey: key, ...more },
});
const FORM = 'application/x-www-form-urlencoded';

function bodyOptions(type: string, body: string): RequestOptions {
  return { method: 'POST', headers: { 'Content-Type': type }, body };
}

function multipart(
  parts: readonly (readonly [head: string, content: string])[],
  boundary = 'xYz',
): RequestOptions {
  const lines = parts.map(
    ([head, content]) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`,
  );
  return bodyOptions(`multipart/form-data; boundary=${boundary}`, `${lines.join('')}--${boundary}--\r\n`);
}

describe('a request without a good key', () => {
  let host: string;
  beforeAll(async () => {
    host = await protect();
  });

  it('is refused without a key, with a challenge and the request id', async () => {
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(host);
    const id = answer.header('x-kong-request-id');
    expect(answer.status).toBe(401);
    expect(answer.headerLines('www-authenticate')).toEqual(['Key']);
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.text).toBe(`{\n  "message":"No API key found in request",\n  "request_id":"${id}"\n}`);
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it('is refused with a key nobody has, and with an empty one', async () => {
    expect(await outcome(host, '/', withKey('nobody'))).toBe(UNKNOWN);
    expect(await outcome(host, '/?apikey=nobody')).toBe(UNKNOWN);
    expect(await outcome(host, '/', withKey(''))).toBe(NO_KEY);
    expect(await outcome(host, '/?apikey=')).toBe(NO_KEY);
  });

  it('carries the challenge whatever the reason', async () => {
    const named = await protect({ realm: 'my api' });
    for (const options of [{}, withKey('nobody'), { headers: { apikey: ['a', 'b'] } }]) {
      expect((await proxy.send(named, '/', options)).header('www-authenticate')).toBe('Key realm="my api"');
    }
  });

  it.each([
    [
      'text/html',
      'text/html; charset=utf-8',
      /<p>No API key found in request\.<\/p>[\s\S]*request_id: [0-9a-f]{32}/,
    ],
    ['application/xml', 'application/xml; charset=utf-8', /<message>No API key found in request<\/message>/],
    ['text/plain', 'text/plain; charset=utf-8', /^No API key found in request\nrequest_id: [0-9a-f]{32}\n$/],
    ['image/png', 'application/json; charset=utf-8', /"message":"No API key found in request"/],
  ])('is told so in the form it accepts: %s', async (accept, type, body) => {
    const answer = await proxy.send(host, '/', { headers: { Accept: accept } });
    expect([answer.status, answer.header('content-type')]).toEqual([401, type]);
    expect(answer.text).toMatch(body);
  });

  it('gets headers alone for HEAD', async () => {
    const answer = await proxy.send(host, '/', { method: 'HEAD' });
    expect([answer.status, answer.header('www-authenticate'), answer.text]).toEqual([401, 'Key', '']);
  });
});

describe('a good key', () => {
  it('tells the upstream who is calling', async () => {
    const echo = await proxy.echo(await protect(), '/', withKey());
    expect(linesOf(echo, 'x-consumer-id')).toEqual([alice.id]);
    expect(linesOf(echo, 'x-consumer-username')).toEqual(['alice']);
    expect(linesOf(echo, 'x-consumer-custom-id')).toEqual(['a-1']);
    expect(linesOf(echo, 'x-credential-identifier')).toEqual([alice.credentialId]);
    expect(linesOf(echo, 'x-anonymous-consumer')).toEqual([]);
    expect(linesOf(echo, 'apikey')).toEqual([alice.key]);
  });

  it('leaves nothing of what the client says about itself, in either spelling', async () => {
    const nameless = await makeConsumer({ username: null, custom_id: randomUUID() });
    const forged = Object.fromEntries(
      ['ID', 'Custom-ID', 'Username'].flatMap((name) => [
        [`X-Consumer-${name}`, 'forged'],
        [`x_consumer_${name.replace('-', '_')}`, 'forged'],
      ]),
    );
    const more = {
      'X-Credential-Identifier': 'forged',
      x_credential_identifier: 'forged',
      X_Anonymous_Consumer: 'true',
    };
    for (const key of [alice.key, nameless.key]) {
      const echo = await proxy.echo(
        await protect(),
        '/',
        withKey(key, { ...forged, ...more, 'X-Anonymous-Consumer': 'true' }),
      );
      expect(echo.headers.filter(([, value]) => value === 'forged' || value === 'true')).toEqual([]);
    }
    const echo = await proxy.echo(await protect(), '/', withKey(nameless.key, forged));
    expect(linesOf(echo, 'x-consumer-username')).toEqual([]);
  });

  it('is taken as it is: neither trimmed nor folded nor normalised', async () => {
    const host = await protect();
    const key = 'Ünïcode Key+/=%&';
    await proxy.write('POST', `/consumers/${alice.id}/key-auth`, { key });
    expect(await outcome(host, `/?apikey=${encodeURIComponent(key)}`)).toBe(THROUGH);
    expect(await outcome(host, `/?apikey=${encodeURIComponent(key.toLowerCase())}`)).toBe(UNKNOWN);
    expect(await outcome(host, `/?apikey=${encodeURIComponent(`${key} `)}`)).toBe(UNKNOWN);
  });
});

describe('the search for the key', () => {
  it('takes a header in any case, and the query name exactly', async () => {
    const host = await protect();
    expect(await outcome(host, '/', { headers: { ApiKey: alice.key } })).toBe(THROUGH);
    expect(await outcome(host, `/?apikey=${alice.key}`)).toBe(THROUGH);
    expect(await outcome(host, `/?ApiKey=${alice.key}`)).toBe(NO_KEY);
    expect(await outcome(host, `/?api%6bey=${alice.key}`)).toBe(THROUGH);
  });

  it('finds a name with _ in a header with -, and not the reverse', async () => {
    const underscored = await protect({ key_names: ['api_key'] });
    const hyphened = await protect({ key_names: ['api-key'] });
    expect(await outcome(underscored, '/', { headers: { 'api-key': alice.key } })).toBe(THROUGH);
    expect(await outcome(underscored, '/', { headers: { api_key: alice.key } })).toBe(THROUGH);
    expect(await outcome(hyphened, '/', { headers: { api_key: alice.key } })).toBe(NO_KEY);
    expect(await outcome(underscored, `/?api-key=${alice.key}`)).toBe(NO_KEY);
  });

  it('ends at the first text, even an empty or a wrong one', async () => {
    const host = await protect();
    expect(await outcome(host, `/?apikey=${alice.key}`, withKey(''))).toBe(NO_KEY);
    expect(await outcome(host, `/?apikey=${alice.key}`, withKey('wrong'))).toBe(UNKNOWN);
    expect(await outcome(host, '/?apikey=wrong', withKey())).toBe(THROUGH);
    const two = await protect({ key_names: ['first', 'second'] });
    expect(await outcome(two, '/', { headers: { first: 'wrong', second: alice.key } })).toBe(UNKNOWN);
    expect(await outcome(two, '/', { headers: { second: alice.key } })).toBe(THROUGH);
    expect(await outcome(two, `/?first=wrong`, { headers: { second: alice.key } })).toBe(UNKNOWN);
  });

  it('passes over an argument without a value', async () => {
    const two = await protect({ key_names: ['first', 'second'] });
    expect(await outcome(two, `/?first&second=${alice.key}`)).toBe(THROUGH);
    expect(await outcome(two, '/?first')).toBe(NO_KEY);
  });

  it('refuses a repeated header or argument, even with the same key twice', async () => {
    const host = await protect({ key_in_body: true });
    const twice = [alice.key, alice.key];
    expect(await outcome(host, '/', { headers: { apikey: twice } })).toBe(REPEATED);
    expect(await outcome(host, `/?apikey=${alice.key}&apikey=${alice.key}`)).toBe(REPEATED);
    expect(await outcome(host, `/?apikey&apikey=${alice.key}`)).toBe(REPEATED);
    expect(await outcome(host, '/', bodyOptions(FORM, `apikey=${alice.key}&apikey=x`))).toBe(REPEATED);
    expect(await outcome(host, '/', bodyOptions('application/json', JSON.stringify({ apikey: twice })))).toBe(
      REPEATED,
    );
  });

  it('looks only where it may', async () => {
    const nowhere = await protect({ key_in_header: false, key_in_query: false });
    expect(await outcome(nowhere, `/?apikey=${alice.key}`, withKey())).toBe(NO_KEY);
    const query = await protect({ key_in_header: false });
    expect(await outcome(query, `/?apikey=${alice.key}`, withKey('wrong'))).toBe(THROUGH);
    const body = bodyOptions(FORM, `apikey=${alice.key}`);
    expect(await outcome(await protect(), '/', body)).toBe(NO_KEY);
  });
});

describe('a key in the body', () => {
  let host: string;
  beforeAll(async () => {
    host = await protect({ key_in_body: true });
  });

  it('is found in forms, JSON objects and multipart', async () => {
    expect(await outcome(host, '/', bodyOptions(FORM, `a=1&apikey=${alice.key}`))).toBe(THROUGH);
    expect(await outcome(host, '/', bodyOptions(`${FORM}; charset=utf-8`, `apikey=${alice.key}`))).toBe(
      THROUGH,
    );
    expect(
      await outcome(host, '/', bodyOptions('application/json', JSON.stringify({ apikey: alice.key }))),
    ).toBe(THROUGH);
    expect(await outcome(host, '/', multipart([['name="apikey"', alice.key]]))).toBe(THROUGH);
  });

  it('is found in a body sent in chunks', async () => {
    const body = ['apikey=', alice.key.slice(0, 5), alice.key.slice(5)];
    expect(await outcome(host, '/', { method: 'POST', headers: { 'Content-Type': FORM }, body })).toBe(
      THROUGH,
    );
  });

  it('reaches the upstream unchanged', async () => {
    const body = JSON.stringify({ b: [1, { c: null }], apikey: alice.key, é: 'ü' });
    expect((await proxy.echo(host, '/', bodyOptions('application/json', body))).body).toBe(body);
  });

  it.each([
    ['a kind of content that is not looked into', 'text/plain', 'apikey=KEY'],
    ['broken JSON', 'application/json', '{"apikey":"KEY"'],
    ['JSON that is no object', 'application/json', '"KEY"'],
    ['a number for a key', 'application/json', '{"apikey":5}'],
    ['a nested key', 'application/json', '{"apikey":{"apikey":"KEY"}}'],
    ['a boolean', 'application/json', '{"apikey":true}'],
    ['an index behind the name', FORM, 'apikey[]=KEY&apikey[1]=KEY'],
    [
      'multipart without an end',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="apikey"\r\n\r\nKEY',
    ],
    ['multipart without a boundary', 'multipart/form-data', 'apikey=KEY'],
    ['nothing', FORM, ''],
  ])('is not found in %s', async (_, type, body) => {
    expect(await outcome(host, '/', bodyOptions(type, body.replaceAll('KEY', alice.key)))).toBe(NO_KEY);
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'is not found in what every object has: %s',
    async (name) => {
      const strange = await protect({ key_names: [name], key_in_body: true });
      expect(await outcome(strange, '/?a=1', bodyOptions('application/json', '{"a":"b"}'))).toBe(NO_KEY);
      expect(await outcome(strange, `/?${name}=${alice.key}`)).toBe(THROUGH);
    },
  );
});

describe('hide_credentials', () => {
  let host: string;
  beforeAll(async () => {
    host = await protect({ hide_credentials: true, key_in_body: true, key_names: ['api_key', 'other'] });
  });
  const urlOf = (echo: EchoedRequest) => echo.url;

  it('takes the name out of headers and query, wherever it was found, in every spelling', async () => {
    const headers = { 'Api-Key': alice.key, api_key: alice.key, keep: 'me' };
    const echo = await proxy.echo(host, '/x?api_key=leaked&a=1', { headers });
    expect(echo.headers.filter(([name]) => /api.key/i.test(name))).toEqual([]);
    expect(linesOf(echo, 'keep')).toEqual(['me']);
    expect(urlOf(echo)).toBe('/x?a=1');
  });

  it('keeps the order of the other arguments and writes them anew', async () => {
    const echo = await proxy.echo(host, `/x?b=2&api_key=${alice.key}&c=valu%651&a=1&b=3&flag&e=`);
    expect(urlOf(echo)).toBe('/x?b=2&c=value1&a=1&b=3&flag&e=');
  });

  it('leaves no query where there is nothing left', async () => {
    expect(urlOf(await proxy.echo(host, `/x?api_key=${alice.key}`))).toMatch(/^\/x\??$/);
  });

  it('leaves a query without the name byte for byte', async () => {
    const echo = await proxy.echo(host, '/x?c=valu%651&d=%zz', { headers: { api_key: alice.key } });
    expect(urlOf(echo)).toBe('/x?c=valu%651&d=%zz');
  });

  it('takes it out of a form, with the length to match', async () => {
    const echo = await proxy.echo(host, '/', bodyOptions(FORM, `a=1&api_key=${alice.key}&b=x+y%26`));
    expect([...new URLSearchParams(echo.body)]).toEqual([
      ['a', '1'],
      ['b', 'x y&'],
    ]);
    expect(linesOf(echo, 'content-length')).toEqual([String(Buffer.byteLength(echo.body))]);
    expect(linesOf(echo, 'content-type')).toEqual([FORM]);
  });

  it('takes it out of JSON', async () => {
    const body = { a: [1, 'é'], api_key: alice.key, b: null };
    const echo = await proxy.echo(host, '/', bodyOptions('application/json', JSON.stringify(body)));
    expect(JSON.parse(echo.body)).toEqual({ a: [1, 'é'], b: null });
    expect(linesOf(echo, 'content-length')).toEqual([String(Buffer.byteLength(echo.body))]);
  });

  it('takes it out of multipart and leaves the other parts as they are', async () => {
    const file = 'name="file"; filename="a.txt"\r\nContent-Type: text/plain';
    const sent = multipart([
      [file, 'line\r\n--xY\r\nend'],
      ['name="api_key"', alice.key],
      ['name="n"', 'ü'],
    ]);
    const echo = await proxy.echo(host, '/', sent);
    const expected = multipart([
      [file, 'line\r\n--xY\r\nend'],
      ['name="n"', 'ü'],
    ]);
    expect(echo.body).toBe(expected.body);
    expect(linesOf(echo, 'content-type')).toEqual(['multipart/form-data; boundary=xYz']);
  });

  it('takes it out of the body when it was found in a header', async () => {
    const sent = bodyOptions(FORM, `api_key=${alice.key}&a=1`);
    const echo = await proxy.echo(host, '/', { ...sent, headers: { ...sent.headers, api_key: alice.key } });
    expect(echo.body).toBe('a=1');
  });

  it('leaves an empty body, and one of another kind, untouched', async () => {
    const empty = await proxy.echo(host, '/', {
      method: 'POST',
      headers: { api_key: alice.key, 'Content-Type': FORM },
      body: '',
    });
    expect(empty.body).toBe('');
    const headers = { api_key: alice.key, 'Content-Type': 'text/plain' };
    expect((await proxy.echo(host, '/', { method: 'POST', headers, body: 'api_key=x' })).body).toBe(
      'api_key=x',
    );
  });

  it('hides an empty or wrong key from the upstream of an anonymous request as well', async () => {
    const open = await protect({ hide_credentials: true, anonymous: alice.id });
    for (const header of ['', 'wrong']) {
      const echo = await proxy.echo(open, `/x?apikey=${alice.key}&a=1`, withKey(header));
      expect(linesOf(echo, 'apikey')).toEqual([]);
      expect(urlOf(echo)).toBe('/x?a=1');
    }
  });
});

describe('anonymous', () => {
  it.each(['id', 'username'] as const)('stands in for a client without a good key, by %s', async (field) => {
    const guest = await makeConsumer({ custom_id: randomUUID() });
    const host = await protect({ anonymous: guest[field] });
    for (const options of [{}, withKey('wrong'), { headers: { apikey: ['a', 'b'] } }]) {
      const headers = { ...options.headers, 'X-Credential-Identifier': 'forged' };
      const echo = await proxy.echo(host, '/', { headers });
      expect(linesOf(echo, 'x-consumer-id')).toEqual([guest.id]);
      expect(linesOf(echo, 'x-consumer-username')).toEqual([guest.username]);
      expect(linesOf(echo, 'x-anonymous-consumer')).toEqual(['true']);
      expect(linesOf(echo, 'x-credential-identifier')).toEqual([]);
    }
  });

  it('does not stand in for a client with a good key', async () => {
    const guest = await makeConsumer();
    const echo = await proxy.echo(await protect({ anonymous: guest.id }), '/', withKey());
    expect(linesOf(echo, 'x-consumer-id')).toEqual([alice.id]);
    expect(linesOf(echo, 'x-anonymous-consumer')).toEqual([]);
  });

  it('answers 500 while the consumer does not exist', async () => {
    const username = randomUUID();
    const host = await protect({ anonymous: username });
    const answer = await proxy.send(host);
    expect([answer.status, answer.text]).toEqual([500, '{"message":"An unexpected error occurred"}']);
    expect(answer.header('content-type')).toMatch(/^application\/json/);
    const { id } = await proxy.write('POST', '/consumers', { username });
    expect((await proxy.send(host)).status).toBe(200);
    await proxy.write('DELETE', `/consumers/${id}`);
    expect((await proxy.send(host)).status).toBe(500);
  });
});

describe('run_on_preflight', () => {
  it('asks OPTIONS for a key by default', async () => {
    expect(await outcome(await protect(), '/', { method: 'OPTIONS' })).toBe(NO_KEY);
  });

  it('lets OPTIONS pass untouched when it is off, and nothing else', async () => {
    const host = await protect({ run_on_preflight: false, hide_credentials: true });
    const echo = await proxy.echo(host, '/?apikey=x', { method: 'OPTIONS', headers: { apikey: 'x' } });
    expect(echo.url).toBe('/?apikey=x');
    expect(linesOf(echo, 'apikey')).toEqual(['x']);
    expect(linesOf(echo, 'x-consumer-id')).toEqual([]);
    expect(await outcome(host)).toBe(NO_KEY);
  });
});

describe('a change of keys', () => {
  let host: string;
  beforeAll(async () => {
    host = await protect();
  });
  /** Several connections, so that every worker has seen the key and remembers what it found. */
  const outcomes = async (key: string) => {
    const all = await Promise.all(Array.from({ length: 12 }, () => outcome(host, '/', withKey(key))));
    return [...new Set(all)];
  };

  it('works at once for a new key, even one that was refused before', async () => {
    const key = randomUUID();
    expect(await outcomes(key)).toEqual([UNKNOWN]);
    await proxy.write('POST', `/consumers/${alice.id}/key-auth`, { key });
    expect(await outcomes(key)).toEqual([THROUGH]);
  });

  it('works at once for a key that is replaced, deleted and given again', async () => {
    const bob = await makeConsumer();
    // In a path a UUID would be an id.
    const next = `key-${randomUUID()}`;
    expect(await outcomes(bob.key)).toEqual([THROUGH]);
    expect(await outcomes(next)).toEqual([UNKNOWN]);
    await proxy.write('PATCH', `/key-auths/${bob.credentialId}`, { key: next });
    expect(await outcomes(bob.key)).toEqual([UNKNOWN]);
    expect(await outcomes(next)).toEqual([THROUGH]);
    await proxy.write('DELETE', `/consumers/${bob.id}/key-auth/${bob.credentialId}`);
    expect(await outcomes(next)).toEqual([UNKNOWN]);
    await proxy.write('PUT', `/consumers/${alice.id}/key-auth/${next}`, {});
    expect(await outcomes(next)).toEqual([THROUGH]);
    expect(linesOf(await proxy.echo(host, '/', withKey(next)), 'x-consumer-username')).toEqual(['alice']);
  });

  it('ends the keys of a deleted consumer at once', async () => {
    const bob = await makeConsumer();
    expect(await outcomes(bob.key)).toEqual([THROUGH]);
    await proxy.write('DELETE', `/consumers/${bob.id}`);
    expect(await outcomes(bob.key)).toEqual([UNKNOWN]);
    expect((await proxy.admin('GET', `/key-auths/${bob.credentialId}`)).status).toBe(404);
  });

  it('shows a renamed consumer at once', async () => {
    const bob = await makeConsumer();
    await outcomes(bob.key);
    const username = randomUUID();
    await proxy.write('PATCH', `/consumers/${bob.id}`, { username });
    for (let sent = 0; sent < 6; sent++) {
      expect(linesOf(await proxy.echo(host, '/', withKey(bob.key)), 'x-consumer-username')).toEqual([
        username,
      ]);
    }
  });

  it('ends a key whose time is over, cached or not', async () => {
    const { key, ttl } = await proxy.write('POST', `/consumers/${alice.id}/key-auth`, { ttl: 2 });
    expect(ttl).toBeLessThanOrEqual(2);
    expect(await outcomes(key)).toEqual([THROUGH]);
    await expect.poll(() => outcomes(key), { timeout: 6000, interval: 200 }).toEqual([UNKNOWN]);
    expect((await proxy.admin('GET', `/consumers/${alice.id}/key-auth/${key}`)).status).toBe(404);
  });

  it('gives a key more time at once', async () => {
    const { key, id } = await proxy.write('POST', `/consumers/${alice.id}/key-auth`, { ttl: 1 });
    await outcomes(key);
    await proxy.write('PATCH', `/key-auths/${id}`, { ttl: 0 });
    await delay(1200);
    expect(await outcomes(key)).toEqual([THROUGH]);
  });
});

describe('the configuration', () => {
  const post = (config: unknown, more: Record<string, unknown> = {}) =>
    proxy.admin('POST', '/plugins', { name: 'key-auth', config, ...more });

  it('cannot be attached to a consumer', async () => {
    const { status, body } = await post({}, { consumer: { id: alice.id } });
    expect([status, body.fields]).toEqual([400, { consumer: 'value must be null' }]);
    const nested = await proxy.admin('POST', `/consumers/${alice.id}/plugins`, { name: 'key-auth' });
    expect([nested.status, nested.body.fields]).toEqual([400, { consumer: 'value must be null' }]);
  });

  it('refuses names that are no header names', async () => {
    const { status, body } = await post({ key_names: ['ok', 'not ok'] });
    const text = "bad header name 'not ok', allowed characters are A-Z, a-z, 0-9, '_', and '-'";
    expect([status, body.fields]).toEqual([400, { config: { key_names: [null, text] } }]);
  });

  it('shows its defaults, and takes a form', async () => {
    const { serviceId } = await proxy.expose();
    const response = await fetch(`${proxy.gateway.adminUrl}/services/${serviceId}/plugins`, {
      method: 'POST',
      body: new URLSearchParams(
        'name=key-auth&config.key_names=x-key&config.key_names=k&config.hide_credentials=true',
      ),
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      config: {
        key_names: ['x-key', 'k'],
        hide_credentials: true,
        anonymous: null,
        key_in_header: true,
        key_in_query: true,
        key_in_body: false,
        run_on_preflight: true,
        realm: null,
      },
    });
  });

  it('is off at once when it is disabled, and on again', async () => {
    const { host, routeId } = await proxy.expose();
    const { id } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    expect(await outcome(host)).toBe(NO_KEY);
    await proxy.write('PATCH', `/plugins/${id}`, { enabled: false });
    expect(await outcome(host)).toBe(THROUGH);
    await proxy.write('PATCH', `/plugins/${id}`, { enabled: true });
    expect(await outcome(host)).toBe(NO_KEY);
    await proxy.write('DELETE', `/plugins/${id}`);
    expect(await outcome(host)).toBe(THROUGH);
  });

  it('refuses a key that is taken or of another type', async () => {
    const taken = await proxy.admin('POST', `/consumers/${alice.id}/key-auth`, { key: alice.key });
    expect(taken.status).toBe(409);
    const number = await proxy.admin('POST', `/consumers/${alice.id}/key-auth`, { key: 5 });
    expect([number.status, number.body.fields]).toEqual([400, { key: 'expected a string' }]);
    const ttl = await proxy.admin('POST', `/consumers/${alice.id}/key-auth`, { ttl: -1 });
    expect([ttl.status, ttl.body.code]).toEqual([400, 11]);
  });
});

it('answers 500 when the keys can neither be read nor are known, and lets nobody through', async () => {
  const forgetful = await startProxy({ DATABASE_URL: database.url, TOLLGATE_ENTITY_CACHE_ROWS: '0' });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    const { host, serviceId } = await forgetful.expose();
    await forgetful.write('POST', `/services/${serviceId}/plugins`, {
      name: 'key-auth',
      config: { anonymous: alice.id },
    });
    await client.query('alter table keyauth_credentials rename to unreadable');
    const answer = await forgetful.send(host, '/', withKey(randomUUID()));
    await client.query('alter table unreadable rename to keyauth_credentials');
    expect(answer.status).toBe(500);
    expect(answer.json<{ message: string }>().message).toBe('An unexpected error occurred');
    expect((await forgetful.send(host, '/', withKey())).status).toBe(200);
  } finally {
    await client.end();
    await forgetful.stop();
  }
});

it('looks at a repeated header whose lines are bytes of their own', async () => {
  const host = await protect();
  const lines = [
    'GET / HTTP/1.1',
    `Host: ${host}`,
    `apikey: ${alice.key}`,
    'APIKEY:',
    'Connection: close',
    '',
    '',
  ];
  const { responses } = await exchangeRaw(proxy.port, lines.join('\r\n'));
  expect(responses[0]?.status).toBe(401);
  expect(responses[0]?.body).toContain('Duplicate API key found');
});
