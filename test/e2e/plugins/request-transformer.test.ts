import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy?.stop());

async function transform(
  config: Record<string, unknown>,
  route: object = {},
  service: object = {},
): Promise<string> {
  const { host, routeId } = await proxy.expose(
    service as Record<string, unknown>,
    route as Record<string, unknown>,
  );
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'request-transformer', config });
  return host;
}

const FORM = 'application/x-www-form-urlencoded';

function post(type: string, body: string, headers: RequestOptions['headers'] = {}): RequestOptions {
  return { method: 'POST', headers: { 'Content-Type': type, ...headers }, body };
}

/** The query the service has received. */
async function query(host: string, path: string): Promise<string> {
  return (await proxy.echo(host, path)).url.split('?')[1] ?? '';
}

/** The body the service has received, after checking its length. */
async function body(host: string, options: RequestOptions, path = '/'): Promise<string> {
  const echo = await proxy.echo(host, path, options);
  expect(linesOf(echo, 'content-length')).toEqual([String(Buffer.byteLength(echo.body))]);
  return echo.body;
}

describe('headers', () => {
  it('go, get another name, another value, are added and added to, in that order', async () => {
    const host = await transform({
      remove: { headers: ['X-Gone'] },
      rename: { headers: ['X-Old:X-New'] },
      replace: { headers: ['X-Replaced:a:b', 'X-Absent:1'] },
      add: { headers: ['X-Added:1', 'X-Replaced:2'] },
      append: { headers: ['X-More:2', 'X-Added:2'] },
    });
    const headers = { 'x-gone': '1', 'x-old': ['1', '2'], 'x-replaced': ['1', '2'], 'x-more': '1' };
    const echo = await proxy.echo(host, '/', { headers });
    const seen = ['X-Gone', 'X-Old', 'X-New', 'X-Replaced', 'X-Absent', 'X-Added', 'X-More'];
    expect(Object.fromEntries(seen.map((name) => [name, linesOf(echo, name)]))).toEqual({
      'X-Gone': [],
      'X-Old': [],
      'X-New': ['1', '2'],
      'X-Replaced': ['a:b'],
      'X-Absent': [],
      'X-Added': ['1', '2'],
      'X-More': ['1', '2'],
    });
  });

  it('stay as they are where an entry has no value', async () => {
    const host = await transform({
      replace: { headers: ['X-There:'] },
      add: { headers: ['X-Added:'] },
      append: { headers: ['X-There:', 'X-More:'] },
    });
    const echo = await proxy.echo(host, '/', { headers: { 'x-there': '1' } });
    const lines = ['X-There', 'X-Added', 'X-More'].map((name) => linesOf(echo, name));
    expect(lines).toEqual([['1'], [], []]);
  });

  it('named Host can only be replaced', async () => {
    const only = await transform({ replace: { headers: ['Host:other.test'] } });
    expect(linesOf(await proxy.echo(only), 'host')).toEqual(['other.test']);
    const others = await transform({
      remove: { headers: ['host'] },
      rename: { headers: ['Host:X-Host'] },
      add: { headers: ['Host:other.test'] },
      append: { headers: ['Host:other.test'] },
    });
    const echo = await proxy.echo(others);
    expect([linesOf(echo, 'host').length, linesOf(echo, 'x-host')]).toEqual([1, []]);
    expect(linesOf(echo, 'host')).not.toContain('other.test');
  });

  it('that say who the client is can be passed on under another name', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'request-transformer',
      config: { rename: { headers: ['X-Consumer-Username:X-User'] }, remove: { headers: ['apikey'] } },
    });
    await proxy.write('POST', '/consumers', { username: 'renamed' });
    await proxy.write('POST', '/consumers/renamed/key-auth', { key: 'renamed-key' });
    const echo = await proxy.echo(host, '/', { headers: { apikey: 'renamed-key' } });
    expect(['x-user', 'x-consumer-username', 'apikey'].map((name) => linesOf(echo, name))).toEqual([
      ['renamed'],
      [],
      [],
    ]);
  });
});

describe('the query', () => {
  it('is changed in the same order', async () => {
    const host = await transform({
      remove: { querystring: ['gone'] },
      rename: { querystring: ['old:new'] },
      replace: { querystring: ['replaced:a b&c=d', 'absent:1'] },
      add: { querystring: ['added:1', 'replaced:2'] },
      append: { querystring: ['more:2', 'fresh:3'] },
    });
    expect(await query(host, '/?gone=1&old=1&old=2&replaced=0&more=1&bare')).toBe(
      'added=1&bare&fresh=3&more=1&more=2&new=1&new=2&replaced=a%20b%26c%3Dd',
    );
  });

  it('stays word for word as it was when nothing in it changes', async () => {
    const host = await transform({ remove: { querystring: ['gone'] } });
    expect(await query(host, '/?b=%7E+1&a=%2f&&c')).toBe('b=%7E+1&a=%2f&&c');
    expect((await proxy.echo(host, '/?gone')).url).toBe('/');
  });
});

describe('a body of JSON', () => {
  const json = (value: unknown) => post('application/json; charset=utf-8', JSON.stringify(value));

  it('is changed in the same order, at its top level, with texts', async () => {
    const host = await transform({
      remove: { body: ['gone'] },
      rename: { body: ['old:new'] },
      replace: { body: ['replaced:7', 'absent:1'] },
      add: { body: ['added:true', 'replaced:2'] },
      append: { body: ['more:2', 'list:3', 'fresh:4'] },
    });
    const given = { gone: 1, old: { gone: 1 }, replaced: 0, more: 1, list: ['é', null] };
    expect(JSON.parse(await body(host, json(given)))).toEqual({
      new: { gone: 1 },
      replaced: '7',
      added: 'true',
      more: [1, '2'],
      list: ['é', null, '3'],
      fresh: ['4'],
    });
  });

  it.each(['{"gone":', '["gone"]', '"gone"', 'null', 'x', '{"gone":1}}'])(
    'passes as it is when it is no object: %s',
    async (text) => {
      const host = await transform({ remove: { body: ['gone'] }, add: { body: ['a:1'] } });
      expect(await body(host, post('application/json', text))).toBe(text);
    },
  );

  it('can be made where there was none', async () => {
    const host = await transform({ add: { body: ['a:1'] } });
    const options = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    expect(await body(host, options)).toBe('{"a":"1"}');
    expect((await proxy.echo(host, '/', { method: 'POST' })).body).toBe('');
  });

  it('is found in chunks, too', async () => {
    const host = await transform({ remove: { body: ['a'] } });
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    expect(await body(host, { method: 'POST', headers, body: ['{"a":1,', '"b":2}'] })).toBe('{"b":2}');
  });

  it('keeps names that mean something to the language', async () => {
    const host = await transform({ add: { body: ['a:1'] }, remove: { body: ['toString'] } });
    expect(await body(host, post('application/json', '{"__proto__":{"x":1},"constructor":2}'))).toBe(
      '{"__proto__":{"x":1},"constructor":2,"a":"1"}',
    );
  });

  it('passes as it is when it is nested more deeply than anybody needs', async () => {
    const host = await transform({ add: { body: ['a:1'] } });
    const text = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(await body(host, post('application/json', text))).toBe(text);
  });

  it('is refused when it is too large to be looked into', async () => {
    const host = await transform({ remove: { body: ['secret'] } });
    const text = JSON.stringify({ secret: 1, padding: 'x'.repeat(2_000_000) });
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(host, '/', post('application/json', text));
    expect([answer.status, answer.json<{ message: string }>().message]).toEqual([413, 'Payload too large']);
    expect(proxy.upstream.requestCount).toBe(before);
  });
});

describe('a form', () => {
  it('is changed like the query', async () => {
    const host = await transform({
      remove: { body: ['gone'] },
      rename: { body: ['old:new'] },
      replace: { body: ['replaced:a&b'] },
      add: { body: ['added:1'] },
      append: { body: ['more:2'] },
    });
    const text = await body(host, post(FORM, 'gone=1&old=1&old=2&replaced=0&more=1&bare'));
    expect([...new URLSearchParams(text)].toSorted()).toEqual([
      ['added', '1'],
      ['bare', ''],
      ['more', '1'],
      ['more', '2'],
      ['new', '1'],
      ['new', '2'],
      ['replaced', 'a&b'],
    ]);
  });
});

describe('a multipart body', () => {
  const part = (name: string, content: string, more = '') =>
    `--xYz\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const multipart = (...parts: string[]) =>
    post('multipart/form-data; boundary=xYz', `${parts.join('')}--xYz--\r\n`);

  it('is changed part by part, and nothing is appended', async () => {
    const host = await transform({
      remove: { body: ['gone'] },
      rename: { body: ['old:new'] },
      replace: { body: ['replaced:2'] },
      add: { body: ['added:1'] },
      append: { body: ['kept:2', 'fresh:1'] },
    });
    const file = '; filename="a.bin"\r\nContent-Type: application/octet-stream';
    const sent = multipart(
      part('gone', '1'),
      part('old', '\u0000ÿ', file),
      part('replaced', '1'),
      part('kept', '1'),
    );
    expect(await body(host, sent)).toBe(
      `${part('kept', '1')}${part('replaced', '2')}${part('new', '\u0000ÿ', file)}${part('added', '1')}--xYz--\r\n`,
    );
  });

  it('is refused when an argument put into it would end its part', async () => {
    const host = await transform({ add: { body: ['a:$(query_params.q)'] } });
    const answer = await proxy.send(host, '/?q=x%0d%0a--xYz%0d%0aadmin', multipart(part('b', '1')));
    expect(answer.status).toBe(400);
    expect(await body(host, multipart(part('b', '1')), '/?q=x--xYz')).toBe(
      `${part('b', '1')}${part('a', 'x--xYz')}--xYz--\r\n`,
    );
  });

  it('passes as it is when it is cut short', async () => {
    const host = await transform({ remove: { body: ['a'] } });
    const text = part('a', '1');
    expect(await body(host, post('multipart/form-data; boundary=xYz', text))).toBe(text);
  });
});

it.each(['text/plain', 'application/xml', 'application/jsonp'])(
  'passes a body of another type as it is, however large: %s',
  async (type) => {
    const host = await transform({ remove: { body: ['a'] }, add: { body: ['b:1'] } });
    const text = `{"a":1}${'x'.repeat(2_000_000)}`;
    expect((await proxy.echo(host, '/', post(type, text))).body).toBe(text);
  },
);

describe('the method', () => {
  it('is another', async () => {
    const host = await transform({ http_method: 'PUT' });
    const echo = await proxy.echo(host, '/', post('application/json', '{}'));
    expect([echo.method, echo.body]).toEqual(['PUT', '{}']);
  });

  it.each(['GET', 'TRACE'])('%s moves a form into the query', async (method) => {
    const host = await transform({ http_method: method });
    const echo = await proxy.echo(host, '/?a=1', post(`${FORM}; charset=utf-8`, 'a=2&b=x+y&c'));
    expect([echo.method, echo.url, echo.body]).toEqual([method, '/?a=1&a=2&b=x%20y&c', '']);
  });

  it('GET leaves other bodies where they are', async () => {
    const host = await transform({ http_method: 'GET' });
    const echo = await proxy.echo(host, '/?a=1', post('application/json', '{"b":2}'));
    expect([echo.method, echo.url, echo.body]).toEqual(['GET', '/?a=1', '{"b":2}']);
  });

  it('HEAD leaves the client with an answer it can tell the end of', async () => {
    const host = await transform({ http_method: 'HEAD' });
    const answer = await proxy.send(host, '/bytes/10', post(FORM, 'a=1'));
    expect([answer.status, answer.text, answer.header('content-length')]).toEqual([200, '', '0']);
    expect(proxy.upstream.lastRequest).toMatchObject({ method: 'HEAD', url: '/bytes/10?a=1' });
  });

  it('of a HEAD request can be another, and its answer has no body all the same', async () => {
    const host = await transform({ http_method: 'GET' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/bytes/10', '/stream/3', '/bytes/100000']) {
      const answer = await proxy.send(host, path, { method: 'HEAD', agent });
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
    agent.destroy();
  });
});

describe('the path', () => {
  it('is the one configured, whatever the service and the route would make of it', async () => {
    const uri = '/fixed path/é/%2f';
    const host = await transform({ replace: { uri } }, { paths: ['/in'] }, { path: '/base' });
    expect((await proxy.echo(host, '/in/side?a=1')).url).toBe('/fixed%20path/%C3%A9/%2f?a=1');
  });

  it('is made of what the pattern of the route has matched', async () => {
    const host = await transform(
      { replace: { uri: "/users/$(uri_captures['user'])/$(uri_captures[2] or 'all')" } },
      { paths: ['~/u/(?<user>[^/]+)(?:/(\\w+))?$'] },
    );
    expect((await proxy.echo(host, '/u/eve/posts')).url).toBe('/users/eve/posts');
    expect((await proxy.echo(host, '/u/%C3%A9%20v%3Fe')).url).toBe('/users/%C3%A9%20v%3Fe/all');
  });

  it('cannot be ended by what a client puts into an argument', async () => {
    const host = await transform({ replace: { uri: '/x/$(query_params.p)' } });
    expect((await proxy.echo(host, '/?p=a%20HTTP/1.1%0d%0aX:1%3Fadmin=1%23')).url).toBe(
      '/x/a%20HTTP/1.1%0D%0AX:1%3Fadmin=1%23?p=a%20HTTP/1.1%0d%0aX:1%3Fadmin=1%23',
    );
  });
});

describe('a template', () => {
  it('takes from headers, arguments, captures and what other plugins have left', async () => {
    const { host, routeId } = await proxy.expose({}, { paths: ['~/v/(?<version>\\d+)'] });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'correlation-id' });
    await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'request-transformer',
      config: {
        add: {
          headers: [
            'X-From-Header:<$(headers.x_from)>',
            "X-From-Query:$(query_params['a b'])",
            'X-From-Path:v$(uri_captures.version)',
            "X-Or:$(headers.absent or 'default: yes')",
            'X-Shared:$(shared.correlation_id)',
            'X-Nothing:[$(headers.absent)]',
          ],
          querystring: ['copied:$(headers.x_from)'],
          body: ['by:$(headers.x_from)'],
        },
      },
    });
    const echo = await proxy.echo(host, '/v/7?a%20b=c', post('application/json', '{}', { 'X-From': 'eve' }));
    const line = (name: string) => linesOf(echo, name)[0];
    expect(['X-From-Header', 'X-From-Query', 'X-From-Path', 'X-Or', 'X-Nothing'].map(line)).toEqual([
      '<eve>',
      'c',
      'v7',
      'default: yes',
      '[]',
    ]);
    expect(line('X-Shared')).toBe(line('Kong-Request-ID'));
    expect(echo.url).toMatch(/\?a%20b=c&copied=eve$/);
    expect(echo.body).toBe('{"by":"eve"}');
  });

  it('reads the request as it came, not as the changes before it left it', async () => {
    const host = await transform({
      remove: { headers: ['X-A'], querystring: ['q'] },
      add: {
        headers: ['X-B:$(headers.x_a)'],
        querystring: ['p:$(query_params.q)$(headers.x_a)'],
        body: ['a:$(headers.x_a)'],
      },
    });
    const echo = await proxy.echo(host, '/?q=1', post('application/json', '{}', { 'X-A': '2' }));
    expect([linesOf(echo, 'x-a'), linesOf(echo, 'x-b'), echo.url, echo.body]).toEqual([
      [],
      ['2'],
      '/?p=12',
      '{"a":"2"}',
    ]);
  });

  it('puts no line into a header that a client has put into an argument', async () => {
    const host = await transform({ add: { headers: ['X-Copy:$(query_params.q)'] } });
    const echo = await proxy.echo(host, '/?q=1%0d%0aX-Admin:%201');
    expect([linesOf(echo, 'x-copy'), linesOf(echo, 'x-admin')]).toEqual([['1%0D%0AX-Admin: 1'], []]);
  });

  it('that cannot be rendered fails the request', async () => {
    const host = await transform({ add: { headers: ['X-A:$(shared.absent.member)'] } });
    const answer = await proxy.send(host);
    expect([answer.status, answer.text]).toEqual([500, '{"message":"An unexpected error occurred"}']);
  });

  it('is never run as code', async () => {
    const host = await transform({
      add: { headers: ["X-A:$('$(headers.host)' .. '\\'')", 'X-B:#{2}`3`'] },
    });
    const echo = await proxy.echo(host);
    expect([linesOf(echo, 'x-a'), linesOf(echo, 'x-b')]).toEqual([["$(headers.host)'"], ['#{2}`3`']]);
  });
});

it('can be another for one consumer', async () => {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
  for (const username of ['premium', 'ordinary']) {
    await proxy.write('POST', '/consumers', { username });
    await proxy.write('POST', `/consumers/${username}/key-auth`, { key: `key of ${username}` });
  }
  const mark = (tier: string) => ({
    name: 'request-transformer',
    config: { append: { headers: [`X-Tier:${tier}`] } },
  });
  await proxy.write('POST', `/routes/${routeId}/plugins`, mark('basic'));
  await proxy.write('POST', '/consumers/premium/plugins', mark('best'));
  const tiers = async (apikey: string) =>
    linesOf(await proxy.echo(host, '/', { headers: { apikey } }), 'x-tier');
  expect([await tiers('key of premium'), await tiers('key of ordinary')]).toEqual([['best'], ['basic']]);
});

describe('the configuration', () => {
  const none = { body: [], headers: [], querystring: [] };

  it('has defaults', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'request-transformer',
    });
    expect(config).toEqual({
      http_method: null,
      remove: none,
      rename: none,
      replace: { ...none, uri: null },
      add: none,
      append: none,
    });
  });

  it.each([
    [{ http_method: 'get' }, { http_method: 'invalid value: get' }],
    [{ add: { body: ['a'] } }, { add: { body: ["key 'a' has no value"] } }],
    [
      { replace: { querystring: ['a:1', 'b:'] } },
      { replace: { querystring: [null, "key 'b' has no value"] } },
    ],
    [{ rename: { body: ['a'] } }, { rename: { body: ["key 'a' has no value"] } }],
    [{ remove: { headers: ['a b'] } }, { remove: { headers: ["'a b' is not a valid header"] } }],
    [{ rename: { headers: ['a:b c'] } }, { rename: { headers: ["'b c' is not a valid header"] } }],
    [{ rename: { headers: ['a'] } }, { rename: { headers: ['invalid value: a'] } }],
    [{ add: { headers: ['a'] } }, { add: { headers: ['invalid value: a'] } }],
    [{ add: { headers: ['a b:1'] } }, { add: { headers: ["'a b' is not a valid header"] } }],
    [
      { append: { headers: ['a:1\r\nb: 2'] } },
      { append: { headers: ["'1\r\nb: 2' is not a valid header"] } },
    ],
    [{ add: { uri: '/a' } }, { add: { uri: 'unknown field' } }],
    [
      { replace: { uri: '/$(os.getenv("HOME"))' } },
      {
        replace: {
          uri: `value '/$(os.getenv("HOME"))' is not in supported format, error:'os' is not known here, only headers, query_params, uri_captures, shared`,
        },
      },
    ],
    [
      { add: { headers: ['a:$(headers.x-y)'] } },
      {
        add: { headers: [`value '$(headers.x-y)' is not in supported format, error:unexpected '-'`] },
      },
    ],
    [
      { add: { body: ['a:$(headers.x'] } },
      {
        add: {
          body: [`value '$(headers.x' is not in supported format, error:an expression has no ')' at its end`],
        },
      },
    ],
  ])('refuses %j', async (config, errors) => {
    const { status, body } = await proxy.admin('POST', '/plugins', { name: 'request-transformer', config });
    expect([status, body.fields]).toEqual([400, { config: errors }]);
  });

  it('is described under /schemas', async () => {
    const { body } = await proxy.admin('GET', '/schemas/plugins/request-transformer');
    expect(JSON.stringify(body)).toContain('"uri":{"type":"string"');
  });
});
