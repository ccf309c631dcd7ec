/** What an upstream receives in its request head: contract/proxy.md sections 4 and 4.1. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRaw } from '../support/raw-http.ts';
import type { EchoedRequest } from '../support/start-upstream.ts';
import type { RequestOptions } from './support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const TOKEN = /tollgate\/\d+\.\d+\.\d+/.source;

describe('a request of an untrusted peer', () => {
  let proxy: ProxyUnderTest;
  let host: string;
  beforeAll(async () => {
    proxy = await startProxy();
    ({ host } = await proxy.expose());
  });
  afterAll(() => proxy.stop());

  /** Values the upstream got for one name when the client sent these headers. */
  async function receive(name: string, headers: RequestOptions['headers'] = {}): Promise<readonly string[]> {
    return linesOf(await proxy.echo(host, '/', { headers }), name);
  }

  it('arrives with its own headers, duplicates separate and names with _ included', async () => {
    const echo = await proxy.echo(host, '/', {
      headers: {
        'X-Twice': ['1', '2'],
        x_under_score: 'kept',
        Cookie: 'a=b; c=d',
        Range: 'bytes=0-1',
        'Proxy-Authorization': 'Basic eA==',
        'Accept-Encoding': 'br',
      },
    });
    expect(linesOf(echo, 'x-twice')).toEqual(['1', '2']);
    expect(linesOf(echo, 'x_under_score')).toEqual(['kept']);
    expect(linesOf(echo, 'cookie')).toEqual(['a=b; c=d']);
    expect(linesOf(echo, 'range')).toEqual(['bytes=0-1']);
    expect(linesOf(echo, 'proxy-authorization')).toEqual(['Basic eA==']);
    expect(linesOf(echo, 'accept-encoding')).toEqual(['br']);
    expect(echo.httpVersion).toBe('1.1');
  });

  it('arrives without a word of the client’s on who it is', async () => {
    const names = ['X-Consumer-ID', 'x_consumer_username', 'X-Credential-Identifier', 'x_anonymous-consumer'];
    const echo = await proxy.echo(host, '/', {
      headers: Object.fromEntries(names.map((name) => [name, 'me'])),
    });
    expect(names.flatMap((name) => linesOf(echo, name))).toEqual([]);
  });

  it('arrives without names outside letters, digits, - and _', async () => {
    expect(await receive('x.dotted', { 'x.dotted': '1' })).toEqual([]);
  });

  it('arrives with bytes of header values as they were', async () => {
    const raw = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Bytes: caf\xc3\xa9!\r\nConnection: close\r\n\r\n`;
    await exchangeRaw(proxy.port, raw);
    expect(linesOf(proxy.upstream.lastRequest as EchoedRequest, 'x-bytes')).toEqual(['caf\xc3\xa9!']);
  });

  it('arrives with keep-alive, whatever the client said of its own connection', async () => {
    expect(await receive('connection', { Connection: 'close' })).toEqual(['keep-alive']);
    expect(await receive('connection')).toEqual(['keep-alive']);
  });

  it('arrives without headers of the client connection and those its Connection names', async () => {
    const echo = await proxy.echo(host, '/', {
      headers: {
        Connection: 'close, X-Mine,  x-OTHER ',
        'X-Mine': '1',
        'X-Other': '1',
        'X-Kept': '1',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'keep-alive',
        Proxy: 'http://evil.test',
        Upgrade: 'h2c',
      },
    });
    for (const name of ['x-mine', 'x-other', 'keep-alive', 'proxy-connection', 'proxy', 'upgrade']) {
      expect([name, ...linesOf(echo, name)]).toEqual([name]);
    }
    expect(linesOf(echo, 'x-kept')).toEqual(['1']);
    expect(linesOf(echo, 'connection')).toEqual(['keep-alive']);
  });

  it('cannot use Connection to take away what the gateway says of the client', async () => {
    const echo = await proxy.echo(host, '/', {
      headers: { Connection: 'close, X-Forwarded-For, X-Real-IP, Via, X-Kong-Request-Id, Host' },
    });
    for (const name of ['x-forwarded-for', 'x-real-ip', 'via', 'x-kong-request-id', 'host']) {
      expect(linesOf(echo, name)).toHaveLength(1);
    }
  });

  it('arrives with TE only as trailers', async () => {
    expect(await receive('te', { TE: 'trailers, deflate;q=0.5', Connection: 'TE' })).toEqual(['trailers']);
    expect(await receive('te', { TE: 'gzip' })).toEqual([]);
  });

  it('arrives with the gateway in Via, behind those the client named', async () => {
    const [own] = await receive('via');
    expect(own).toMatch(new RegExp(`^1\\.1 ${TOKEN}$`));
    expect(await receive('via', { Via: '1.0 first' })).toEqual([`1.0 first, ${own}`]);
  });

  it('arrives with X-Forwarded-* of the gateway and the peer behind the client’s X-Forwarded-For', async () => {
    const { host } = await proxy.expose({}, { paths: ['/api'] });
    const echo = await proxy.echo(`${host.toUpperCase()}:1234`, '/api//x/%2e?q=1', {
      headers: {
        'X-Forwarded-For': '10.0.0.1',
        'X-Real-IP': '10.0.0.1',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil.test',
        'X-Forwarded-Port': '443',
        'X-Forwarded-Path': '/evil',
        'X-Forwarded-Prefix': '/evil',
      },
    });
    const sent = ['for', 'proto', 'host', 'port', 'path', 'prefix'].map((name) => [
      name,
      ...linesOf(echo, `x-forwarded-${name}`),
    ]);
    expect(sent).toEqual([
      ['for', '10.0.0.1, 127.0.0.1'],
      ['proto', 'http'],
      ['host', host],
      ['port', String(proxy.port)],
      ['path', '/api//x/%2e'],
      ['prefix', '/api'],
    ]);
    expect(linesOf(echo, 'x-real-ip')).toEqual(['127.0.0.1']);
  });

  it('arrives without X-Forwarded-Prefix where nothing but / was stripped', async () => {
    const echo = await proxy.echo(host, '/x', { headers: { 'X-Forwarded-Prefix': '/evil' } });
    expect(linesOf(echo, 'x-forwarded-prefix')).toEqual([]);
    expect(linesOf(echo, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    const { host: root } = await proxy.expose({}, { paths: ['/'] });
    expect(linesOf(await proxy.echo(root, '/x'), 'x-forwarded-prefix')).toEqual([]);
    const { host: unstripped } = await proxy.expose({}, { paths: ['/p'], strip_path: false });
    expect(linesOf(await proxy.echo(unstripped, '/p'), 'x-forwarded-prefix')).toEqual([]);
  });

  it('arrives with a request id of the gateway, the one the client sees', async () => {
    const headers = { 'X-Kong-Request-Id': 'mine' };
    const answer = await proxy.send(host, '/', { headers });
    const [id, ...others] = linesOf(answer.json<EchoedRequest>(), 'x-kong-request-id');
    expect(others).toEqual([]);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.headerLines('x-kong-request-id')).toEqual([id]);
  });

  describe('Host', () => {
    it('is the service’s, with its port', async () => {
      expect(await receive('host')).toEqual([`127.0.0.1:${proxy.upstream.port}`]);
      const { host: named } = await proxy.expose({ host: 'localhost' });
      expect(linesOf(await proxy.echo(named), 'host')).toEqual([`localhost:${proxy.upstream.port}`]);
    });

    it('is the client’s with preserve_host, port included', async () => {
      const { host } = await proxy.expose({}, { preserve_host: true });
      expect(linesOf(await proxy.echo(`${host}:99`), 'host')).toEqual([`${host}:99`]);
    });
  });
});

describe('with trusted_ips', () => {
  let proxy: ProxyUnderTest;
  let host: string;
  beforeAll(async () => {
    proxy = await startProxy({
      TOLLGATE_TRUSTED_IPS: '127.0.0.0/8, 172.16.0.1, 192.168.0.1',
      TOLLGATE_REAL_IP_HEADER: 'X-Forwarded-For',
      TOLLGATE_REAL_IP_RECURSIVE: 'on',
      TOLLGATE_HEADERS_UPSTREAM: 'off',
    });
    ({ host } = await proxy.expose({}, { paths: ['/api'] }));
  });
  afterAll(() => proxy.stop());

  it('passes a trusted peer’s X-Forwarded-* on', async () => {
    const headers = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'public.test',
      'X-Forwarded-Port': '443',
      'X-Forwarded-Path': '/public',
      'X-Forwarded-Prefix': '/pub',
    };
    const echo = await proxy.echo(host, '/api', { headers });
    for (const [name, value] of Object.entries(headers)) expect(linesOf(echo, name)).toEqual([value]);
  });

  it('passes on who the client is for a trusted peer', async () => {
    const echo = await proxy.echo(host, '/api', { headers: { 'X-Consumer-Username': 'ada' } });
    expect(linesOf(echo, 'x-consumer-username')).toEqual(['ada']);
  });

  it('says itself what the trusted peer has not said', async () => {
    const echo = await proxy.echo(host, '/api/x');
    expect(linesOf(echo, 'x-forwarded-proto')).toEqual(['http']);
    expect(linesOf(echo, 'x-forwarded-host')).toEqual([host]);
    expect(linesOf(echo, 'x-forwarded-path')).toEqual(['/api/x']);
    expect(linesOf(echo, 'x-forwarded-prefix')).toEqual(['/api']);
  });

  it('finds the client behind the trusted proxies', async () => {
    const list = '127.0.0.1, 10.0.0.1, 192.168.0.1, 127.0.0.1, 172.16.0.1';
    const echo = await proxy.echo(host, '/api', { headers: { 'X-Forwarded-For': list } });
    expect(linesOf(echo, 'x-real-ip')).toEqual(['10.0.0.1']);
    expect(linesOf(echo, 'x-forwarded-for')).toEqual([`${list}, 127.0.0.1`]);
  });

  it('lets a trusted peer’s word for the protocol open an https-only route', async () => {
    const { host } = await proxy.expose({}, { protocols: ['https'] });
    expect((await proxy.send(host)).status).toBe(426);
    expect((await proxy.send(host, '/', { headers: { 'X-Forwarded-Proto': 'https' } })).status).toBe(200);
    expect((await proxy.send(host, '/', { headers: { 'X-Forwarded-Proto': 'HTTPS' } })).status).toBe(426);
  });

  it('sends no request id upstream with headers_upstream off', async () => {
    const answer = await proxy.send(host, '/api');
    expect(linesOf(answer.json<EchoedRequest>(), 'x-kong-request-id')).toEqual([]);
    expect(answer.header('x-kong-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });
});
