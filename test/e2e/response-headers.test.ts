/** What a client receives in the head of an answer: contract/proxy.md section 5. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { exchangeBytes, exchangeRaw, headerOf } from '../support/raw-http.ts';
import type { SentAnswer } from './support/send-request.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const TOKEN = /^tollgate\/\d+\.\d+\.\d+$/;
const VIA = /^1\.1 tollgate\/\d+\.\d+\.\d+$/;

describe('with the default settings', () => {
  let proxy: ProxyUnderTest;
  let host: string;
  beforeAll(async () => {
    proxy = await startProxy();
    ({ host } = await proxy.expose());
  });
  afterAll(() => proxy.stop());

  /** The answer of an upstream that sends these headers. */
  function answerWith(query: string): Promise<SentAnswer> {
    return proxy.send(host, `/headers?${query}`);
  }

  it('a proxied answer says by whom it came and how long each part took', async () => {
    const answer = await proxy.send(host);
    expect(answer.header('via')).toMatch(VIA);
    expect(answer.header('server')).toMatch(TOKEN);
    expect(answer.header('x-kong-proxy-latency')).toMatch(/^\d+$/);
    expect(answer.header('x-kong-upstream-latency')).toMatch(/^\d+$/);
    expect(answer.header('x-kong-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.header('x-kong-response-latency')).toBeUndefined();
    expect(answer.header('x-kong-upstream-status')).toBeUndefined();
  });

  it('has one Date, and nothing of the library that serves it', async () => {
    const answer = await proxy.send(host);
    expect(answer.headerLines('date')).toHaveLength(1);
    expect(answer.header('uwebsockets')).toBeUndefined();
  });

  it('keeps the upstream’s Server and adds to its Via', async () => {
    const answer = await answerWith('Server=mine&Via=1.0%20inner');
    expect(answer.headerLines('server')).toEqual(['mine']);
    expect(answer.headerLines('via')).toEqual([expect.stringMatching(/^1\.0 inner, 1\.1 tollgate\//)]);
  });

  it('has the gateway’s request id and latencies in the place of an upstream’s', async () => {
    const answer = await answerWith('X-Kong-Request-Id=theirs&X-Kong-Upstream-Latency=99999');
    expect(answer.headerLines('x-kong-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(answer.headerLines('x-kong-upstream-latency')).not.toContain('99999');
  });

  it('passes everything else on, lines of Set-Cookie separate and Location as it is', async () => {
    const answer = await answerWith(
      'Set-Cookie=a%3D1&Set-Cookie=b%3D2&Location=http%3A%2F%2Fupstream%2Fx&ETag=%22e%22&X-Own=1',
    );
    expect(answer.headerLines('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(answer.header('location')).toBe('http://upstream/x');
    expect(answer.header('etag')).toBe('"e"');
    expect(answer.header('x-own')).toBe('1');
  });

  it('drops what belongs to the upstream’s connection, and what its Connection names', async () => {
    const upstream = await serve((_, response) => {
      response.writeHead(200, {
        Connection: 'close, X-Hop',
        'Keep-Alive': 'timeout=9',
        'X-Hop': '1',
        'X-End': '1',
        Upgrade: 'h2c',
        Trailer: 'X-After',
      });
      response.write('a');
      response.addTrailers({ 'X-After': '1' });
      response.end('b');
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const raw = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { responses, hasClosed } = await exchangeRaw(proxy.port, raw, { quietMs: 200 });
    const [answer] = responses;
    if (answer === undefined) throw new Error('no answer');
    for (const name of ['keep-alive', 'x-hop', 'upgrade', 'trailer', 'connection']) {
      expect([name, headerOf(answer, name)]).toEqual([name, undefined]);
    }
    expect(headerOf(answer, 'x-end')).toBe('1');
    expect(answer.body).toBe('ab');
    expect(hasClosed).toBe(false);
    await upstream.stop();
  });

  it.each([
    ['text/html', 'text/html; charset=UTF-8'],
    ['text/plain', 'text/plain; charset=UTF-8'],
    ['text/xml', 'text/xml; charset=UTF-8'],
    ['application/javascript', 'application/javascript; charset=UTF-8'],
    ['application/rss+xml', 'application/rss+xml; charset=UTF-8'],
    ['text/html; charset=latin1', 'text/html; charset=latin1'],
    ['text/css', 'text/css'],
    ['application/json', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
  ])('turns the content type %s into %s', async (sent, received) => {
    const upstream = await serve((_, response) => {
      response.setHeader('Content-Type', sent);
      response.end('x');
    });
    const { host } = await proxy.expose({ port: upstream.port });
    expect((await proxy.send(host)).headerLines('content-type')).toEqual([received]);
    await upstream.stop();
  });

  it('keeps bytes of header values as they were', async () => {
    const upstream = await serve((_, response) => {
      response.setHeader('X-Bytes', 'caf\xc3\xa9');
      response.end();
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const raw = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const { received } = await exchangeBytes(proxy.port, raw, { quietMs: 200 });
    expect(received).toMatch(/x-bytes: caf\xc3\xa9\r\n/i);
    await upstream.stop();
  });

  it.each([201, 204, 301, 304, 404, 418, 500, 503])('passes the status %i on', async (status) => {
    const answer = await proxy.send(host, `/status/${status}`);
    expect(answer.status).toBe(status);
    expect(answer.header('via')).toMatch(VIA);
  });
});

describe('the setting headers', () => {
  it('adds nothing when it is off, and lets the upstream’s Server pass', async () => {
    const proxy = await startProxy({ TOLLGATE_HEADERS: 'off' });
    onTestFinished(() => proxy.stop());
    const { host } = await proxy.expose();
    const answer = await proxy.send(host, '/headers?Server=mine');
    const missing = await proxy.send('nobody.test');
    const failed = await proxy.send((await proxy.expose({ port: 1 })).host);
    for (const { headers } of [await proxy.send(host), missing, failed]) {
      expect(headers.filter(([name]) => /^(server|via|x-kong-.*)$/.test(name))).toEqual([]);
    }
    expect(answer.header('server')).toBe('mine');
    expect(answer.header('via')).toBeUndefined();
  });

  it('adds what it lists, and debug headers where they are allowed', async () => {
    const proxy = await startProxy({
      TOLLGATE_HEADERS: 'via, X-Kong-Upstream-Status',
      TOLLGATE_ALLOW_DEBUG_HEADER: 'on',
    });
    onTestFinished(() => proxy.stop());
    const { host, routeId, serviceId } = await proxy.expose({ name: 'orders' }, { name: 'all-orders' });
    const answer = await proxy.send(host, '/status/418');
    expect(answer.header('via')).toMatch(VIA);
    expect(answer.header('x-kong-upstream-status')).toBe('418');
    expect(answer.header('server')).toBeUndefined();
    expect(answer.header('x-kong-proxy-latency')).toBeUndefined();
    expect(answer.header('x-kong-request-id')).toBeUndefined();
    expect(answer.header('kong-route-id')).toBeUndefined();

    const debugged = await proxy.send(host, '/', { headers: { 'Kong-Debug': '1' } });
    expect(debugged.header('kong-route-id')).toBe(routeId);
    expect(debugged.header('kong-route-name')).toBe('all-orders');
    expect(debugged.header('kong-service-id')).toBe(serviceId);
    expect(debugged.header('kong-service-name')).toBe('orders');
  });
});
