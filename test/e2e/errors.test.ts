/** Errors the gateway answers itself: contract/proxy.md sections 6 and 2.9. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findClosedPort } from '../contract/upstream/raw-upstream.ts';
import { exchangeRaw, headerOf } from '../support/raw-http.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const BAD_GATEWAY = 'An invalid response was received from the upstream server';
const TIMING_OUT = 'The upstream server is timing out';

let proxy: ProxyUnderTest;
let refused: string;
beforeAll(async () => {
  proxy = await startProxy();
  ({ host: refused } = await proxy.expose({ port: await findClosedPort(), retries: 0 }));
});
afterAll(() => proxy.stop());

describe('the form of an error', () => {
  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['text/html, application/json', 'text/html; charset=utf-8'],
    ['text/html;q=0.5, application/xml', 'application/xml; charset=utf-8'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/*', 'text/plain; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['image/png', 'application/json; charset=utf-8'],
    ['nonsense', 'application/json; charset=utf-8'],
  ])('follows Accept: %s', async (accept, contentType) => {
    for (const host of ['nobody.test', refused]) {
      const answer = await proxy.send(host, '/', { headers: { Accept: accept } });
      expect(answer.headerLines('content-type')).toEqual([contentType]);
      expect(answer.text).toContain(answer.header('x-kong-request-id'));
    }
  });

  it('without Accept is JSON for routing and text for a failed upstream', async () => {
    const missing = await proxy.send('nobody.test');
    const id = missing.header('x-kong-request-id');
    expect(missing.text).toBe(
      `{\n  "message":"no Route matched with those values",\n  "request_id":"${id}"\n}`,
    );
    const failed = await proxy.send(refused);
    expect(failed.text).toBe(`${BAD_GATEWAY}\nrequest_id: ${failed.header('x-kong-request-id')}\n`);
  });

  it('of a failed upstream follows the Content-Type where there is no Accept', async () => {
    const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    expect((await proxy.send(refused, '/', options)).json()).toMatchObject({ message: BAD_GATEWAY });
  });

  it('is a head alone for HEAD', async () => {
    const answer = await proxy.send('nobody.test', '/', { method: 'HEAD' });
    expect([answer.status, answer.body.length]).toEqual([404, 0]);
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
  });
});

describe('a service that cannot be reached', () => {
  it('is 502 when it refuses the connection, and counts as proxied', async () => {
    const answer = await proxy.send(refused);
    expect(answer.status).toBe(502);
    expect(answer.header('via')).toMatch(/^1\.1 tollgate\//);
    expect(answer.header('x-kong-proxy-latency')).toMatch(/^\d+$/);
    expect(answer.header('x-kong-upstream-latency')).toMatch(/^\d+$/);
    expect(answer.header('x-kong-response-latency')).toBeUndefined();
  });

  it('is 503 when its name does not exist', async () => {
    const { host } = await proxy.expose({ host: 'no-such-host.invalid', retries: 0 });
    const answer = await proxy.send(host);
    expect([answer.status, answer.json()]).toMatchObject([503, { message: 'name resolution failed' }]);
  });

  it('is 504 when it does not answer within read_timeout', async () => {
    const { host } = await proxy.expose({ read_timeout: 100, retries: 0 });
    const answer = await proxy.send(host, '/delay/5000', { headers: { Accept: 'application/json' } });
    expect([answer.status, answer.json()]).toMatchObject([504, { message: TIMING_OUT }]);
    expect(answer.header('via')).toMatch(/^1\.1 tollgate\//);
  });

  it('is 502 when what comes back is not HTTP', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('220 mail.test ESMTP\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { host } = await proxy.expose({ port: (server.address() as AddressInfo).port });
    expect((await proxy.send(host)).status).toBe(502);
    server.close();
  });

  it('passes an upstream’s own errors through untouched', async () => {
    const upstream = await serve((_, response) => {
      response.writeHead(503, { 'Content-Type': 'text/x-own' });
      response.end('own words');
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const answer = await proxy.send(host);
    expect([answer.status, answer.text, answer.header('content-type')]).toEqual([
      503,
      'own words',
      'text/x-own',
    ]);
    await upstream.stop();
  });
});

it('answers 503 on a route without a service, as the gateway', async () => {
  await proxy.write('POST', '/routes', { hosts: ['serviceless.test'] });
  const answer = await proxy.send('serviceless.test');
  expect([answer.status, answer.json()]).toMatchObject([
    503,
    { message: 'no Service found with those values' },
  ]);
  expect(answer.header('via')).toBeUndefined();
  expect(answer.header('x-kong-response-latency')).toMatch(/^\d+$/);
});

describe('a request that is refused before routing', () => {
  let host: string;
  beforeAll(async () => {
    ({ host } = await proxy.expose());
  });

  /** Sends the request line and headers given, and looks at what comes back and what the upstream has seen. */
  async function refuse(text: string) {
    const before = proxy.upstream.requestCount;
    const { responses, hasClosed } = await exchangeRaw(proxy.port, text, { quietMs: 400 });
    const [answer] = responses;
    return {
      status: answer?.status,
      answer,
      answers: responses.length,
      hasClosed,
      forwarded: proxy.upstream.requestCount - before,
    };
  }

  it.each([
    ['a malformed escape', '/%zz'],
    ['an escape cut short', '/a%2'],
    ['%00', '/a%00b'],
    ['a path above the root', '/a/../../b'],
    ['a path above the root, escaped', '/%2e%2e/b'],
  ])('is 400 for %s in the path, and the connection closes', async (_, path) => {
    const { status, hasClosed, forwarded, answer } = await refuse(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    );
    expect({ status, hasClosed, forwarded }).toEqual({ status: 400, hasClosed: true, forwarded: 0 });
    expect(answer?.body).toMatch(/^Bad request\nrequest_id: [0-9a-f]{32}\n$/);
    expect(headerOf(answer as NonNullable<typeof answer>, 'content-type')).toBe('text/plain; charset=utf-8');
  });

  it.each([
    ['no Host', () => 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', () => `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n`],
    ['a bad Host', () => 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a space before the colon', () => `GET / HTTP/1.1\r\nHost: ${host}\r\nX-A : 1\r\n\r\n`],
    ['a control character in a name', () => `GET / HTTP/1.1\r\nHost: ${host}\r\nX\x01A: 1\r\n\r\n`],
    ['a folded header', () => `GET / HTTP/1.1\r\nHost: ${host}\r\nX-A: 1\r\n  2\r\n\r\n`],
    ['a bad length', () => `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: +5\r\n\r\nhello`],
    [
      'a length and chunks',
      () =>
        `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
  ])('is 400 or cut off for %s, and never forwarded', async (_, text) => {
    const { status, hasClosed, forwarded, answers } = await refuse(text());
    expect([undefined, 400]).toContain(status);
    expect({ hasClosed, forwarded, many: answers > 1 }).toEqual({
      hasClosed: true,
      forwarded: 0,
      many: false,
    });
  });

  it('is 501 for a transfer encoding other than chunked', async () => {
    const text = `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: gzip\r\n\r\n`;
    expect(await refuse(text)).toMatchObject({ status: 501, hasClosed: true, forwarded: 0 });
  });

  it('is 414 for a request line over 8 KiB', async () => {
    const text = `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { status, answer, forwarded } = await refuse(text);
    expect([status, forwarded]).toEqual([414, 0]);
    expect(answer?.body).toContain('URI too long');
  });

  it('is 400 with a reason for a header over 8 KiB', async () => {
    const text = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Big: ${'a'.repeat(9000)}\r\n\r\n`;
    const { status, answer, forwarded } = await refuse(text);
    expect([status, forwarded]).toEqual([400, 0]);
    expect(answer?.body).toContain('Request header or cookie too large');
  });

  it.each(['TRACE', 'CONNECT'])('is 405 for %s', async (method) => {
    const { status, answer, forwarded } = await refuse(`${method} / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect([status, forwarded]).toEqual([405, 0]);
    expect(answer?.body).toContain('Method not allowed');
  });
});

it('answers 413 to a body over client_max_body_size, declared or counted, and does not pass it on whole', async () => {
  const limited = await startProxy({ TOLLGATE_CLIENT_MAX_BODY_SIZE: '1000' });
  onTestFinished(() => limited.stop());
  const { host } = await limited.expose();
  const post = (body: string | string[]) => limited.send(host, '/', { method: 'POST', body });
  expect((await post('x'.repeat(1000))).status).toBe(200);
  const declared = await post('x'.repeat(1001));
  expect([declared.status, declared.header('connection')]).toEqual([413, 'close']);
  const counted = await post(['x'.repeat(600), 'x'.repeat(600)]);
  expect(counted.status).toBe(413);
  expect(limited.upstream.requestCount).toBe(1);
});

it('writes errors into the templates of the operator', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-templates-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'error.json');
  writeFileSync(path, '{"error":{"text":"%s","id":"%s"}}\n');
  const templated = await startProxy({ TOLLGATE_ERROR_TEMPLATE_JSON: path });
  onTestFinished(() => templated.stop());
  const answer = await templated.send('nobody.test');
  expect(answer.json()).toEqual({
    error: { text: 'no Route matched with those values', id: answer.header('x-kong-request-id') },
  });
  const asText = await templated.send('nobody.test', '/', { headers: { Accept: 'text/plain' } });
  expect(asText.text).toMatch(/^no Route matched/);
});
