/** What handlers can do beside the everyday: targets, lists of headers, answers of services, records for logs. */
import { loadPlugin, type PluginKit, type TestRequest } from '@tollgate/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a handler', () => {
  let kit: PluginKit;
  beforeAll(async () => {
    kit = await loadPlugin(new URL('./fixtures/surface.ts', import.meta.url));
  });
  afterAll(() => kit?.close());

  const doing = (does: string, request: TestRequest = {}): TestRequest => ({
    ...request,
    headers: { 'x-do': does, ...request.headers },
  });
  const said = (log: readonly { readonly level: string; readonly message: string }[]) =>
    log.filter(({ level }) => level === 'notice').map(({ message }) => JSON.parse(message) as unknown);

  it('sends the request elsewhere, and says how often and how long to try', async () => {
    const { serviceRequest } = await kit.access(doing('access target'));
    const { target, scheme, retries, timeouts } = serviceRequest;
    expect({ target, scheme, retries, timeouts }).toEqual({
      target: { host: '10.0.0.9', port: 9443 },
      scheme: 'https',
      retries: 1,
      timeouts: [100, 200, 300],
    });
    expect(serviceRequest.headers.get('host')).toBe('10.0.0.9');
  });

  it.each([
    ['access bad target', "TypeError: invalid host 'no host'"],
    ['access bad port', 'RangeError: port must be an integer from 0 to 65535, not 65536'],
    ['access bad retries', 'RangeError: retries must be an integer from 0 to 32767, not -1'],
    ['access bad timeouts', 'RangeError: timeout must be an integer from 1 to 2147483646, not 0'],
    ['access bad scheme', "TypeError: scheme must be http or https, not 'ftp'"],
    ['access split', 'TypeError: a header value cannot contain CR, LF or NUL'],
    ['access bad value', "TypeError: the value of 'f' is no plain data"],
  ])('is told what is wrong: %s', async (does, text) => {
    await expect(kit.access(doing(does))).rejects.toThrow(text);
  });

  it('sends the request to an upstream, where there is one of that name', async () => {
    const { log, serviceRequest } = await kit.access(
      doing('access upstream', { upstreams: ['known.upstream'] }),
    );
    expect(said(log)).toEqual([["could not find an Upstream named 'missing.upstream'", null]]);
    expect(serviceRequest.target?.host).toBe('known.upstream');
  });

  it('sets headers several times with a list, and reads what it has set', async () => {
    const { log, serviceRequest, response } = await kit.access(
      doing('access lists', { headers: { 'x-gone': 'here' } }),
    );
    expect(said(log)).toEqual([['a', ['a', 'b', 'c'], null, ['d', 'e']]]);
    expect(serviceRequest.headers.get('x-list')).toBe('a, b, c');
    expect(serviceRequest.headers.has('x-gone')).toBe(false);
    expect([serviceRequest.headers.get('x-n'), serviceRequest.headers.get('x-b')]).toEqual(['1', 'true']);
    expect(response.headers.get('x-answer')).toBe('1, 2');
  });

  it('gives the service’s answer another status before there is one, but not its own answers', async () => {
    const { response } = await kit.request(doing('access status'), {}, { status: 200, body: 'ok' });
    expect([response.status, response.body]).toEqual([202, 'ok']);
  });

  it('knows what the route takes off the path, and the protocol of the route', async () => {
    const stripped = await kit.access(doing('access prefix', { strippedPrefix: '/api' }));
    expect(said(stripped.log)).toEqual(['/api']);
    expect(said((await kit.access(doing('access prefix'))).log)).toEqual([]);
    const only = await kit.access(doing('access protocol', { route: { protocols: ['https'] } }));
    expect(said(only.log)).toEqual([['https', 'https']]);
    const both = await kit.access(doing('access protocol', { route: { protocols: ['http', 'https'] } }));
    expect(said(both.log)).toEqual([['http', 'http']]);
    const grpc = await kit.access(doing('access protocol', { route: { protocols: ['grpc', 'grpcs'] } }));
    expect(said(grpc.log)).toEqual([['grpc', 'grpc']]);
  });

  it('tells references to secrets from other texts', async () => {
    const { log } = await kit.access(doing('access vault'));
    expect(said(log)).toEqual([[true, false, { vault: 'env', name: 'name', key: 'key' }]]);
  });

  it('logs at every level, and a deprecation once', async () => {
    const { log } = await kit.access(doing('access log'));
    expect(log).toEqual([
      { level: 'alert', message: 'a1' },
      { level: 'emerg', message: 'true' },
      { level: 'debug', message: '"text" {\n  "a": [\n    1\n  ]\n} undefined' },
      { level: 'warn', message: 'old thing (deprecated after 1.0) (scheduled for removal in 2.0)' },
    ]);
    expect((await kit.access(doing('access log'))).log.map(({ level }) => level)).not.toContain('warn');
  });

  it('sees the answer of the service as it came, and that for the client with its changes', async () => {
    const { log, response } = await kit.response(
      doing('response headers'),
      {},
      {
        status: 203,
        headers: { ETag: 'original', 'X-Gone': '1', 'Content-Type': 'application/json' },
        body: '{"a":"žluť"}',
      },
    );
    const original = { etag: ['original'], 'x-gone': ['1'], 'content-type': ['application/json'] };
    expect(said(log)).toEqual([
      [
        203,
        'original',
        original,
        'changed',
        'm',
        { etag: ['changed'], 'content-type': ['application/json'], 'x-more': ['m'] },
        '{"a":"žluť"}',
        { mime: 'application/json', fields: { a: 'žluť' } },
      ],
    ]);
    expect(Object.fromEntries(response.headers)).toEqual({
      etag: 'changed',
      'content-type': 'application/json',
      'x-more': 'm',
    });
  });

  it('puts text beyond ASCII into its answer as it was', async () => {
    const { response } = await kit.request(doing('response wrap'), {}, { body: 'žluťoučký' });
    expect(response.body).toBe('<žluťoučký>');
  });

  it('rewrites the request before it is routed', async () => {
    const { serviceRequest, response, log } = await kit.request(doing('rewrite path', { path: '/old?a=1' }));
    expect([serviceRequest?.path, serviceRequest?.query]).toEqual(['/new/place', 'a=1']);
    expect(serviceRequest?.headers.get('host')).toBe('new.example');
    expect(response.headers.get('x-rewritten')).toBe('yes');
    expect(said(log)).toEqual(['/new/place']);
  });

  it('answers before the request is routed', async () => {
    const report = await kit.request(doing('rewrite exit'));
    expect([report.response.status, report.response.body, report.serviceRequest]).toEqual([
      418,
      'early',
      undefined,
    ]);
  });

  it('sees both answers when it logs, and the request apart from them', async () => {
    const { log } = await kit.request(
      doing('log headers'),
      {},
      { status: 201, headers: { 'X-From': 'service' } },
    );
    expect(said(log)).toEqual([
      ['service', { 'x-from': ['service'] }, 'service', 201, null, ['log headers']],
    ]);
  });

  it('writes the record that logging plugins write, with what handlers have added', async () => {
    const { log } = await kit.request(
      doing('log serialize', {
        method: 'POST',
        path: '/a%20b?x=1&y',
        headers: { host: 'shop.example:8000', authorization: 'Basic c2VjcmV0', 'x-two': ['a', 'b'] },
        consumer: { id: 'c1', username: 'alice' },
        credential: { id: 'k1' },
      }),
      {},
      { status: 201, headers: { 'X-From': 'service' } },
    );
    const [names, record] = said(log) as [string[], Record<string, unknown>];
    expect(names).toEqual(['seen']);
    expect(record).toEqual({
      request: {
        id: '0123456789abcdef0123456789abcdef',
        uri: '/a%20b?x=1&y',
        url: 'http://shop.example:8000/a%20b?x=1&y',
        querystring: { x: '1', y: true },
        method: 'POST',
        headers: {
          'x-do': 'log serialize',
          host: 'shop.example:8000',
          authorization: 'REDACTED',
          'x-two': ['a', 'b'],
          'x-consumer': 'alice',
        },
        size: 100,
      },
      upstream_uri: '/a%20b?x=1&y',
      upstream_status: '201',
      response: { status: 201, headers: { 'x-from': 'service', 'x-set': 'by access' }, size: 200 },
      latencies: { kong: 1, proxy: 2, request: 3, receive: 0 },
      tries: [{ ip: '127.0.0.1', port: 80 }],
      authenticated_entity: { id: 'k1', consumer_id: 'c1' },
      route: { id: '00000000-0000-4000-8000-000000000001', name: 'test-route' },
      service: { id: '00000000-0000-4000-8000-000000000002', name: 'test-service', host: 'localhost' },
      consumer: { id: 'c1', username: 'alice', custom_id: null },
      started_at: Date.UTC(2026, 0, 1),
      source: 'upstream',
      mine: { deep: { a: 1 } },
      ['__proto__']: { polluted: 'yes' },
    });
  });
});
