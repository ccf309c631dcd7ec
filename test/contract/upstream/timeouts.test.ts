import { createServer } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createUpstreamClient } from '../../../core/upstream/forward.ts';
import { forwardOnce, originAt, requestTo, TestBody, uploadTo } from './forward-once.ts';
import { type RawAnswer, type RawUpstream, startRawUpstream } from './raw-upstream.ts';

let upstream: RawUpstream | undefined;
const client = createUpstreamClient();
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
});
afterAll(() => client.close());

const start = async (answer: RawAnswer): Promise<RawUpstream> => {
  upstream = await startRawUpstream(answer);
  return upstream;
};

describe('timeouts (contract/proxy.md section 7.1)', () => {
  it('answers 504 when the upstream is silent', async () => {
    const { port } = await start(() => undefined);
    const { error } = await forwardOnce(client, requestTo(port, { readTimeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_READ_TIMEOUT', status: 504 });
    expect(client.stats().openConnections).toBe(0);
  });

  it('answers 504 when the connection does not get ready', async () => {
    // Accepts and says nothing: the TLS handshake belongs to the time of connecting.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const origin = originAt(port, { protocol: 'https' });
    const { error, attempts } = await forwardOnce(
      client,
      requestTo(port, { origin, method: 'POST', connectTimeoutMs: 50, retries: 1 }),
    );
    silent.close();
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_CONNECT_TIMEOUT', status: 504 });
    expect(attempts).toHaveLength(2);
  });

  it('cuts an answer that stalls within its body', async () => {
    const { port, heads } = await start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'),
    );
    const outcome = await forwardOnce(client, requestTo(port, { readTimeoutMs: 50, retries: 3 }));
    expect(outcome).toMatchObject({ body: 'hello', error: { code: 'GW_UPSTREAM_READ_TIMEOUT' } });
    expect(heads).toHaveLength(1);
  });

  it('does not add up: every byte starts the time anew', async () => {
    const { port } = await start((socket) => {
      const bytes = [...'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'];
      const timer = setInterval(() => {
        const byte = bytes.shift();
        if (byte === undefined) clearInterval(timer);
        else socket.write(byte);
      }, 10);
    });
    const outcome = await forwardOnce(client, requestTo(port, { readTimeoutMs: 300 }));
    expect(outcome).toMatchObject({ body: 'abc', error: undefined });
  });

  it('answers 504 when the upstream does not read', async () => {
    const { port } = await start((socket) => socket.pause());
    const body = TestBody.whole('x'.repeat(16 * 1024 * 1024));
    const { error } = await forwardOnce(
      client,
      uploadTo(port, body, { method: 'POST', writeTimeoutMs: 50, readTimeoutMs: 10_000, retries: 3 }),
    );
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_WRITE_TIMEOUT', status: 504 });
  });

  it('waits for a slow client without blaming the upstream', async () => {
    const { port } = await start((socket) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('end')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const body = new TestBody(8);
    body.push('start');
    setTimeout(() => {
      body.push('end');
      body.finish();
    }, 300);
    const request = uploadTo(port, body, { readTimeoutMs: 50, writeTimeoutMs: 50 });
    expect(await forwardOnce(client, request)).toMatchObject({ body: 'ok', error: undefined });
  });
});
