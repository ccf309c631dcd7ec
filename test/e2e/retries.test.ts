/** Timeouts, retries and what becomes of an upstream that fails half way: contract/proxy.md sections 7.1 and 7.2. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClosedPort, type RawAnswer, startRawUpstream } from '../contract/upstream/raw-upstream.ts';
import { exchangeRaw } from '../support/raw-http.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy.stop());

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A service whose upstream does this with each request. */
async function exposeRaw(answer: RawAnswer, service: Record<string, unknown> = {}) {
  const upstream = await startRawUpstream(answer);
  const { host } = await proxy.expose({ port: upstream.port, ...service });
  return { host, upstream };
}

/** Reads the head of the request and hangs up. */
const hangUp: RawAnswer = (socket) => socket.destroy();

describe('an upstream that hangs up before it answers', () => {
  it('is asked 1 + retries times, then the answer is 502', async () => {
    const { host, upstream } = await exposeRaw(hangUp, { retries: 2 });
    expect((await proxy.send(host)).status).toBe(502);
    expect(upstream.heads).toHaveLength(3);
    await upstream.stop();
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'HEAD'])(
    'is asked again for %s, with the same body',
    async (method) => {
      const { host, upstream } = await exposeRaw((socket, number) =>
        number === 1 ? socket.destroy() : socket.write(method === 'HEAD' ? OK.slice(0, -2) : OK),
      );
      const body = method === 'PUT' ? { body: 'again' } : {};
      expect((await proxy.send(host, '/', { method, ...body })).status).toBe(200);
      expect(upstream.heads).toHaveLength(2);
      expect(upstream.heads[1]).toBe(upstream.heads[0]);
      await upstream.stop();
    },
  );

  it.each(['POST', 'PATCH', 'LOCK'])('is never asked twice for %s', async (method) => {
    const { host, upstream } = await exposeRaw(hangUp);
    expect((await proxy.send(host, '/', { method, body: 'once' })).status).toBe(502);
    expect(upstream.heads).toHaveLength(1);
    await upstream.stop();
  });
});

it('tries to connect again for every method, since nothing was sent', async () => {
  const port = await findClosedPort();
  const { host } = await proxy.expose({ port, retries: 1 });
  expect((await proxy.send(host, '/', { method: 'POST', body: 'x' })).status).toBe(502);
  const upstream = await serve((_, response) => response.end('up'), port);
  expect((await proxy.send(host, '/', { method: 'POST', body: 'x' })).text).toBe('up');
  await upstream.stop();
});

it('answers 504 when read_timeout passes, after as many attempts as the method allows', async () => {
  const { host, upstream } = await exposeRaw(() => {}, { read_timeout: 60, retries: 1 });
  expect((await proxy.send(host)).status).toBe(504);
  expect(upstream.heads).toHaveLength(2);
  expect((await proxy.send(host, '/', { method: 'POST', body: 'x' })).status).toBe(504);
  expect(upstream.heads).toHaveLength(3);
  await upstream.stop();
});

it('does not count silence that is shorter than read_timeout, however long the answer takes', async () => {
  const upstream = await serve(async (_, response) => {
    for (let part = 0; part < 8; part++) {
      response.write('.');
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    response.end();
  });
  const { host } = await proxy.expose({ port: upstream.port, read_timeout: 300 });
  expect((await proxy.send(host)).text).toBe('........');
  await upstream.stop();
});

it('never repeats a request that was answered, whatever the status', async () => {
  const { host } = await proxy.expose({ retries: 5 });
  const before = proxy.upstream.requestCount;
  expect((await proxy.send(host, '/status/503')).status).toBe(503);
  expect(proxy.upstream.requestCount - before).toBe(1);
});

it('does not repeat after a malformed answer', async () => {
  const { host, upstream } = await exposeRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nbroken\r\n\r\n'));
  expect((await proxy.send(host)).status).toBe(502);
  expect(upstream.heads).toHaveLength(1);
  await upstream.stop();
});

it('repeats on a new connection when a kept one turns out to be closed, even without retries', async () => {
  const { host, upstream } = await exposeRaw(
    (socket, number) => (number === 2 ? socket.destroy() : socket.write(OK)),
    { retries: 0 },
  );
  expect((await proxy.send(host)).text).toBe('ok');
  expect((await proxy.send(host)).text).toBe('ok');
  expect([upstream.heads.length, upstream.sockets.length]).toEqual([3, 2]);
  await upstream.stop();
});

describe('an upstream that dies in the middle of its answer', () => {
  it('cuts the client off, with a length or in chunks, and leaves the next request alone', async () => {
    const { host } = await proxy.expose();
    const request = `GET /close HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { responses, hasClosed } = await exchangeRaw(proxy.port, request);
    expect(responses).toMatchObject([{ status: 200, body: 'x'.repeat(10), isComplete: false }]);
    expect(hasClosed).toBe(true);

    const chunked = await exposeRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n', () =>
        socket.destroy(),
      );
    });
    const cut = await exchangeRaw(proxy.port, `GET / HTTP/1.1\r\nHost: ${chunked.host}\r\n\r\n`);
    expect(cut.responses.every(({ isComplete }) => !isComplete)).toBe(true);
    expect(cut.hasClosed).toBe(true);
    await chunked.upstream.stop();

    expect((await proxy.send(host)).status).toBe(200);
  });

  it('cuts the client off when it falls silent for longer than read_timeout', async () => {
    const { host, upstream } = await exposeRaw(
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun'),
      { read_timeout: 80 },
    );
    await expect(proxy.send(host)).rejects.toThrow(/aborted|hang up|reset/i);
    await upstream.stop();
  });
});
