/** Sections 1.1–1.4: headers, methods, paths and which bodies are taken. */
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';
import type { Method } from './support/call-admin.ts';
import { exchangeRaw } from './support/raw-exchange.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin.close());

const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{}' };
const TEXT_BODY = { headers: { 'content-type': 'text/plain' }, body: 'x' };

describe('response headers (1.2)', () => {
  it('name type, length, server and latency, and let any origin read them', async () => {
    const { headers } = await admin.get('/services');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['content-length']).toBe(String('{"data":[],"next":null}'.length));
    expect(headers['server']).toBe('tollgate/0.1.0');
    expect(String(headers['x-kong-admin-latency'])).toMatch(/^\d+$/);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBe('true');
    expect(headers['access-control-allow-methods']).toBeUndefined();
  });

  it.each([
    ['GET', '/services', 200],
    ['GET', '/nowhere', 404],
    ['DELETE', '/services/absent', 204],
    ['POST', '/services', 400],
    ['PUT', '/', 405],
  ] as const)('echo the origin on %s %s (%i)', async (method, path, status) => {
    const answer = await admin.call(method, path, { headers: { origin: 'http://console.test:8002' } });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('http://console.test:8002');
    expect(answer.headers['access-control-allow-credentials']).toBe('true');
    expect(answer.headers['content-length']).toBeDefined();
  });

  it('name a length of 0 where there is no body', async () => {
    const answer = await admin.delete('/services/absent');
    expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([204, '0', '']);
    expect(answer.headers['content-type']).toBeUndefined();
  });
});

describe('methods (1.3)', () => {
  it.each(['/', '/services', '/services/absent', '/nowhere', '/plugins/enabled', '/endpoints'])(
    'HEAD %s is GET without the body',
    async (path) => {
      const [get, head] = [await admin.get(path), await admin.call('HEAD', path)];
      expect(head.status).toBe(get.status);
      expect(head.headers['content-length']).toBe(get.headers['content-length']);
      expect(head.text).toBe('');
    },
  );

  it.each([
    ['/', 'GET, HEAD, OPTIONS'],
    ['/routes', 'GET, HEAD, OPTIONS, POST'],
    ['/routes/anything', 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
    ['/services/absent/routes', 'GET, HEAD, OPTIONS, POST'],
    ['/cache', 'DELETE, OPTIONS'],
  ])('OPTIONS %s allows %s', async (path, methods) => {
    const answer = await admin.call('OPTIONS', path);
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([204, '', '0']);
    expect(answer.headers['allow']).toBe(methods);
    expect(answer.headers['access-control-allow-methods']).toBe(methods);
    expect(answer.headers['access-control-allow-headers']).toBe('Content-Type');
  });

  it('OPTIONS allows the headers it is asked for', async () => {
    const headers = { 'access-control-request-headers': 'x-one, x-two' };
    const answer = await admin.call('OPTIONS', '/services', { headers });
    expect(answer.headers['access-control-allow-headers']).toBe('x-one, x-two');
  });

  it.each(['/nowhere', '/targets', '/targets/x', '/targets/x/upstream'])(
    'OPTIONS %s is 404',
    async (path) => {
      expect((await admin.call('OPTIONS', path)).status).toBe(404);
    },
  );

  it.each([
    ['PUT', '/services'],
    ['DELETE', '/services'],
    ['POST', '/services/x'],
    ['POST', '/'],
    ['PATCH', '/plugins/enabled'],
    ['DELETE', '/tags/x'],
    ['PUT', '/tags/x'],
    ['GET', '/schemas/services/validate'],
  ] as const)('%s %s is 405', async (method, path) => {
    const answer = await admin.call(method, path);
    expect([answer.status, answer.body]).toEqual([405, { message: 'Method not allowed' }]);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    '%s of an unknown path is 404',
    async (method) => {
      for (const path of ['/nowhere', '/consumer_groups', '/workspaces', '/default/services', '/targets']) {
        const answer = await admin.call(method, path);
        expect([answer.status, answer.body]).toEqual([404, { message: 'Not found' }]);
      }
    },
  );

  it('ignores a trailing slash', async () => {
    expect((await admin.get('/services/')).status).toBe(200);
    expect((await admin.put('/consumers/slash/', {})).body['username']).toBe('slash');
  });

  it('prefers literal segments to names', async () => {
    expect((await admin.get('/plugins/enabled')).body['enabled_plugins']).toBeInstanceOf(Array);
  });

  it('decodes a captured segment after matching', async () => {
    await admin.post('/consumers', { username: 'a/b c' });
    expect((await admin.get('/consumers/a%2Fb%20c')).body['username']).toBe('a/b c');
    expect((await admin.get('/consumers/a/b%20c')).status).toBe(404);
  });

  it('takes names beyond ASCII', async () => {
    expect((await admin.put('/services/%E5%86%86', { host: 'a.test' })).body['name']).toBe('円');
    expect((await admin.get('/services/%e5%86%86')).status).toBe(200);
  });

  it('answers robots', async () => {
    const answer = await admin.get('/robots.txt');
    expect([answer.status, answer.text]).toEqual([200, 'User-agent: *\nDisallow: /']);
  });
});

describe('bodies (1.4)', () => {
  it.each([
    ['POST', '/services'],
    ['POST', '/nowhere'],
    ['POST', '/'],
    ['PUT', '/services/x'],
    ['PATCH', '/services/x'],
  ] as const)('%s %s with an unknown type is 415', async (method, path) => {
    expect((await admin.call(method, path, TEXT_BODY)).status).toBe(415);
  });

  it('with JSON the path and the method are judged instead', async () => {
    expect((await admin.call('POST', '/nowhere', JSON_BODY)).status).toBe(404);
    expect((await admin.call('POST', '/', JSON_BODY)).status).toBe(405);
  });

  it.each(['', '{', 'null', '17', '"x"'])('JSON that is %j is 400', async (body) => {
    const answer = await admin.call('POST', '/services', { ...JSON_BODY, body });
    expect([answer.status, answer.body]).toEqual([400, { message: 'Cannot parse JSON body' }]);
  });

  it.each([
    ['an array', { ...JSON_BODY, body: '[{"host":"a.test"}]' }],
    ['neither body nor type', {}],
    ['multipart without a boundary', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' }],
  ])('%s counts as an empty object', async (_name, options) => {
    const answer = await admin.call('POST', '/services', options);
    expect(answer.body['message']).toBe('schema violation (host: required field missing)');
  });

  it.each(['GET', 'HEAD', 'DELETE'] as const)('%s ignores the body and its type', async (method) => {
    for (const type of ['text/plain', 'application/json', 'not a type;;']) {
      const answer = await admin.call(method, '/consumers/nobody', {
        headers: { 'content-type': type },
        body: '{',
      });
      expect(answer.status).toBe(method === 'DELETE' ? 204 : 404);
    }
  });

  it('takes no field from the query', async () => {
    const answer = await admin.post('/services?name=query&port=1', { host: 'a.test' });
    expect(answer.body).toMatchObject({ name: null, port: 80 });
  });

  it('refuses more than 1000 arguments', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => `a${index}=1`).join('&');
    for (const answer of [
      await admin.get(`/services?${many}`),
      await admin.form('POST', '/services', many),
    ]) {
      expect([answer.status, answer.body]).toEqual([400, { message: 'Too many arguments' }]);
    }
  });

  it('refuses more than 10 MiB with 413', async () => {
    const body = `{"name":"${'x'.repeat(10 * 1024 * 1024)}"}`;
    const answer = await admin.call('POST', '/services', { ...JSON_BODY, body });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([413, '*']);
  });
});

describe('over a socket', () => {
  let port: number;
  beforeAll(async () => {
    await admin.app.listen({ port: 0, host: '127.0.0.1' });
    port = (admin.app.server.address() as AddressInfo).port;
  });

  it('tells a client that sends raw UTF-8 in the path to escape it', async () => {
    const path = Buffer.from('/services/円').toString('latin1');
    const received = await exchangeRaw(port, [
      `GET ${path} HTTP/1.1`,
      'Host: a',
      'Connection: close',
      '',
      '',
    ]);
    expect(received).toContain('HTTP/1.1 400');
    expect(received).toContain('must be percent-encoded');
  });

  it.each(['PROPFIND', 'QUERY', 'GEEEET'])('answers the method %s with 405', async (method) => {
    const received = await exchangeRaw(port, [
      `${method} /services HTTP/1.1`,
      'Host: a',
      'Connection: close',
      '',
      '',
    ]);
    expect(received).toContain('HTTP/1.1 405');
    expect(received).toContain('{"message":"Method not allowed"}');
  });

  it('reads a body in chunks', async () => {
    const body = '{"username":"chunky"}';
    const received = await exchangeRaw(port, [
      'POST /consumers HTTP/1.1',
      'Host: a',
      'Connection: close',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      '',
      body.length.toString(16),
      body,
      '0',
      '',
      '',
    ]);
    expect(received).toContain('HTTP/1.1 201');
  });

  it('refuses a body announced as too large before it is sent', async () => {
    const received = await exchangeRaw(port, [
      'POST /services HTTP/1.1',
      'Host: a',
      'Connection: close',
      'Content-Type: application/json',
      'Content-Length: 20000000',
      '',
      '',
    ]);
    expect(received).toContain('HTTP/1.1 413');
  });
});

describe('origins and tokens by configuration (1.2)', () => {
  const answerTo = async (origin: string | undefined) => {
    const configured = await startAdmin({
      transport: {
        guiOrigins: ['http://one.test', 'http://two.test'],
        showsServer: false,
        showsLatency: false,
      },
    });
    try {
      return await configured.get('/', origin === undefined ? {} : { origin });
    } finally {
      await configured.close();
    }
  };

  it.each([
    ['http://two.test', 'http://two.test'],
    ['http://other.test', 'http://one.test'],
    [undefined, 'http://one.test'],
  ])('an origin of %s is answered with %s', async (origin, allowed) => {
    const { headers } = await answerTo(origin);
    expect(headers['access-control-allow-origin']).toBe(allowed);
    expect(headers['server']).toBeUndefined();
    expect(headers['x-kong-admin-latency']).toBeUndefined();
  });
});

describe('every path', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const)(
    'answers %s with something else than 500',
    async (method: Method) => {
      const { body } = await admin.get('/endpoints');
      for (const template of body['data'] as string[]) {
        if (template === '/cache' || template.startsWith('/debug')) continue;
        const path = template.replaceAll(/\{\w+\}/g, 'something');
        const answer = await admin.call(method, path);
        expect([template, answer.status < 500 || answer.status === 501]).toEqual([template, true]);
      }
    },
  );
});
