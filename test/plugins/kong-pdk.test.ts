/** Plugins written for Kong's JavaScript kit, wrapped and otherwise as they are, in the real isolate. */
import { loadPlugin, type PluginKit, PluginTest, Request } from '@tollgate/sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';

const loaded: PluginKit[] = [];
afterEach(() => {
  for (const kit of loaded.splice(0)) kit.close();
});

async function load(file: string): Promise<PluginKit> {
  const kit = await loadPlugin(new URL(`./fixtures/kong-pdk/${file}`, import.meta.url));
  loaded.push(kit);
  return kit;
}

describe('a plugin of the kit', () => {
  it('greets, from one instance for each configuration', async () => {
    const kit = await load('hello.js');
    expect(kit.manifest).toMatchObject({
      name: 'kit-hello',
      version: '0.1.0',
      priority: 0,
      phases: ['access'],
    });
    const greet = async (config = {}) => {
      const { response } = await kit.request({ headers: { host: 'shop' } }, config);
      return [response.headers.get('x-hello'), response.headers.get('x-hello-count')];
    };
    expect(await greet()).toEqual(['hello to shop', '1']);
    expect(await greet({ message: 'ahoy there' })).toEqual(['ahoy there to shop', '1']);
  });

  it('has its schema checked, with patterns as they are in Lua', async () => {
    const kit = await load('hello.js');
    await expect(kit.request({}, { message: '7' })).rejects.toThrow(
      'schema violation (config.message: invalid value: 7)',
    );
    await expect(kit.request({}, { mesage: 'x' })).rejects.toThrow('config.mesage: unknown field');
  });

  it('is the same in TypeScript but for its imports', async () => {
    const kit = await load('typed.ts');
    const { response } = await kit.request({ path: '/?a=1&b', headers: { host: 'shop' } });
    expect([response.headers.get('x-hello'), response.headers.get('x-hello-arguments')]).toEqual([
      'hello to shop',
      'a,b',
    ]);
  });

  it('answers, although its method goes on', async () => {
    const kit = await load('status.js');
    expect(kit.manifest).toMatchObject({ name: 'kit-status', priority: 10 });
    const refused = await kit.request();
    expect([refused.response.status, refused.response.body]).toEqual([403, '{"message":"no userid"}']);
    expect([refused.response.headers.get('x-why'), refused.response.headers.get('x-user')]).toEqual([
      'anonymous',
      null,
    ]);
    expect(refused.serviceRequest).toBeUndefined();
    const known = await kit.request({ headers: { userid: '7' } });
    expect([known.response.status, known.response.body, known.response.headers.get('x-user')]).toEqual([
      200,
      'let in after all',
      '7',
    ]);
  });

  it('rewrites both bodies, and hands values from one phase to the next', async () => {
    const kit = await load('transform.js');
    expect(kit.manifest.capabilities).toEqual({ requestBody: true, responseBody: true });
    const { serviceRequest, response, log } = await kit.request(
      { method: 'POST', path: '/?a=1&a=2&b', body: 'žluť' },
      {},
      { status: 201, body: 'kůň' },
    );
    expect([serviceRequest?.body, serviceRequest?.query]).toEqual(['ŽLUŤ', 'a=1&a=2&from=transform']);
    expect([response.status, response.body]).toEqual([201, 'žluť became kůň']);
    expect(log).toEqual([{ level: 'notice', message: '201' }]);
  });

  it('may be several files, and begin before routing', async () => {
    const kit = await load('goodbye.js');
    expect(kit.manifest).toMatchObject({ name: 'kit-goodbye', phases: ['rewrite', 'access'] });
    const { response } = await kit.request({}, { who: ['you', 'me'] });
    expect(response.headers.get('x-goodbye')).toBe('goodbye you and me, soon');
  });

  it('brings what it depends on', async () => {
    const kit = await load('graphql.js');
    const ask = async (query: string) => {
      const { response } = await kit.request({
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return [response.status, JSON.parse(response.body)];
    };
    expect(await ask('{ hello(name: "shop") route }')).toEqual([
      200,
      { data: { hello: 'hello shop', route: 'test-route' } },
    ]);
    expect(await ask('{ nothing }')).toEqual([
      400,
      { errors: ['Cannot query field "nothing" on type "Query".'] },
    ]);
  });

  it.each([
    ['throw', 'Error: broken'],
    ['constructor', 'Error: not made'],
    ['unawaited', 'TypeError: a header value cannot contain CR, LF or NUL'],
    ['unknown', 'TypeError: kong.request.getColour is not there'],
    ['phase', 'TypeError: kong.response.getStatus cannot be called in access phase (only in: response, log)'],
    ['place', 'TypeError: kong.telemetry.log is not'],
  ])('fails the request where there it would be let through: %s', async (how, text) => {
    await expect((await load('failing.js')).access({}, { how })).rejects.toThrow(text);
  });

  it('may catch what a call throws', async () => {
    const { response } = await (await load('failing.js')).request({}, { how: 'caught' });
    expect(response.status).toBe(200);
  });

  it('hears that it is too late', async () => {
    await expect((await load('failing.js')).request({}, { how: 'late' })).rejects.toThrow(
      'kong.response.setHeader cannot be called in log phase (only in: rewrite, access, response)',
    );
  });
});

describe('a test written for the kit', () => {
  const moduleOf = (file: string) => new URL(`./fixtures/kong-pdk/${file}`, import.meta.url);

  it('takes a request through all phases', async () => {
    const request = new Request()
      .useURL('http://example.com/things?a=1')
      .useMethod('POST')
      .useHeaders({ 'X-Sent': 'yes' })
      .useBody('quiet');
    const test = new PluginTest(request);
    await test.Run(moduleOf('transform.js'));
    expect([test.response.status, test.response.body]).toEqual([200, 'quiet became OK']);
    expect(test.response.headers.get('x-sent')).toBe('yes');
    expect(test.serviceRequest).toMatchObject({
      url: 'http://example.com/things?a=1&from=transform',
      method: 'POST',
      body: 'QUIET',
    });
    expect(test.serviceResponse?.body).toBe('OK');
  });

  it('finds nothing at the service behind an answer', async () => {
    const test = new PluginTest(new Request());
    await test.Run(moduleOf('status.js'), { header: 'userid' });
    expect(test.response.status).toBe(403);
    expect([test.serviceRequest, test.serviceResponse]).toEqual([undefined, undefined]);
  });
});
