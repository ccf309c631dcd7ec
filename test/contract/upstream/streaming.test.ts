import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createUpstreamClient } from '../../../core/upstream/forward.ts';
import type { ForwardExchange } from '../../../core/upstream/forward-request.ts';
import { forwardOnce, requestTo, TestBody, uploadTo } from './forward-once.ts';
import { type RawAnswer, type RawUpstream, startRawUpstream } from './raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const MEGABYTE = 1024 * 1024;

let upstream: RawUpstream | undefined;
const client = createUpstreamClient();
afterEach(() => upstream?.stop());
afterAll(() => client.close());

const start = async (answer: RawAnswer): Promise<RawUpstream> => {
  upstream = await startRawUpstream(answer);
  return upstream;
};

/** Answers when all a connection received ends with `last`; says what that was. */
const startListening = async (last: string): Promise<{ port: number; received: () => string }> => {
  let heard = '';
  upstream = await startRawUpstream(
    () => undefined,
    (socket, received) => {
      heard = received;
      if (received.endsWith(last)) socket.write(OK);
    },
  );
  return { port: upstream.port, received: () => heard };
};

describe('a response', () => {
  it('is handed on as it comes, with a moment to flush behind each read', async () => {
    let upstreamSocket: Socket | undefined;
    const { port } = await start((socket) => {
      upstreamSocket = socket;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n');
    });
    const heard: string[] = [];
    await new Promise<void>((resolve, reject) => {
      client.forward(requestTo(port), {
        onHead: () => heard.push('head'),
        onChunk: (chunk) => heard.push(Buffer.from(chunk).toString()) > 0,
        onFlush: () => {
          heard.push('flush');
          upstreamSocket!.write(heard.includes('three') ? '0\r\n\r\n' : '5\r\nthree\r\n');
        },
        onEnd: resolve,
        onError: reject,
      });
    });
    expect(heard).toEqual(['head', 'one', 'two', 'flush', 'three', 'flush']);
  });

  it('of a fast upstream waits for a slow client, and memory stays bounded', async () => {
    const total = 16 * MEGABYTE;
    let upstreamSocket: Socket | undefined;
    const { port } = await start((socket) => {
      upstreamSocket = socket;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      socket.write(Buffer.alloc(total));
    });
    let received = 0;
    let receivedWhilePaused = 0;
    let isPaused = false;
    let pauseCount = 0;
    let exchange: ForwardExchange | undefined;
    const pauseOnce = async (): Promise<void> => {
      isPaused = true;
      await delay(pauseCount++ < 3 ? 60 : 0);
      if (pauseCount === 3) {
        // The upstream is still stuck with most of it: nothing reads ahead without bound.
        expect(upstreamSocket!.writableLength).toBeGreaterThan(total / 4);
      }
      isPaused = false;
      exchange!.resume();
    };
    const outcome = await forwardOnce(
      client,
      requestTo(port, { readTimeoutMs: 5_000 }),
      {
        onChunk: (chunk) => {
          received += chunk.length;
          if (isPaused) receivedWhilePaused += chunk.length;
          else void pauseOnce();
          return false;
        },
      },
      (started) => {
        exchange = started;
      },
    );
    expect(outcome.error).toBeUndefined();
    expect(received).toBe(total);
    expect(receivedWhilePaused).toBe(0);
    // The read timeout does not run while nobody wants to read, and the connection is good for another request.
    expect(client.stats().idleConnections).toBe(1);
  });

  it('goes on when it is resumed within the very call that paused it', async () => {
    const { port } = await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      setTimeout(() => socket.write('def'), 20);
    });
    let exchange: ForwardExchange | undefined;
    let text = '';
    const outcome = await forwardOnce(
      client,
      requestTo(port),
      {
        onChunk: (chunk) => {
          text += Buffer.from(chunk).toString();
          exchange!.resume();
          return false;
        },
        onFlush: () => exchange!.resume(),
      },
      (started) => {
        exchange = started;
      },
    );
    expect(outcome.error).toBeUndefined();
    expect(text).toBe('abcdef');
  });

  it('reports an upstream that dies while the client is slow, once the client goes on', async () => {
    const { port, sockets } = await start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'),
    );
    let exchange: ForwardExchange | undefined;
    const outcome = await forwardOnce(
      client,
      requestTo(port),
      {
        onChunk: () => {
          setTimeout(() => sockets[0]!.destroy(), 10);
          setTimeout(() => exchange!.resume(), 40);
          return false;
        },
      },
      (started) => {
        exchange = started;
      },
    );
    expect(outcome.error?.code).toBe('GW_UPSTREAM_CLOSED');
  });
});

describe('a request body', () => {
  it('that is held leaves together with its head', async () => {
    const { port, received } = await startListening('hello');
    const outcome = await forwardOnce(client, uploadTo(port, TestBody.whole('hello')));
    expect(outcome).toMatchObject({ body: 'ok', error: undefined });
    expect(received()).toMatch(/^PUT \/ HTTP\/1\.1\r\n.*\r\n\r\nhello$/s);
    expect(client.stats().idleConnections).toBeGreaterThan(0);
  });

  it('without a length is sent in chunks, of which none is empty but the last', async () => {
    const { port, received } = await startListening('\r\n0\r\n\r\n');
    const body = new TestBody(undefined);
    body.push('hello');
    setTimeout(() => {
      body.push('');
      body.push('x'.repeat(17));
      body.finish();
    }, 20);
    const outcome = await forwardOnce(client, uploadTo(port, body));
    expect(outcome).toMatchObject({ body: 'ok', error: undefined });
    expect(received()).toContain(`\r\n\r\n5\r\nhello\r\n11\r\n${'x'.repeat(17)}\r\n0\r\n\r\n`);
  });

  it('pauses the client while the upstream is slow, and lets it go on', async () => {
    let upstreamSocket: Socket | undefined;
    const { port } = await start((socket) => {
      upstreamSocket = socket;
      socket.pause();
    });
    const chunk = Buffer.alloc(256 * 1024);
    const chunkCount = 64;
    const body = new TestBody(chunk.length * chunkCount);
    const pending = forwardOnce(client, uploadTo(port, body));
    while (upstreamSocket === undefined) await delay(5);
    let sent = 0;
    while (!body.isPaused && sent < chunkCount) {
      body.push(chunk);
      sent++;
      await delay(1);
    }
    expect(sent).toBeLessThan(chunkCount);
    expect(body.resumeCount).toBe(0);
    await delay(30);
    expect(body.isPaused).toBe(true);
    let bytes = 0;
    upstreamSocket.on('data', (data: Buffer) => {
      bytes += data.length;
      if (bytes >= chunk.length * chunkCount) upstreamSocket?.write(OK);
    });
    upstreamSocket.resume();
    for (; sent < chunkCount; sent++) {
      while (body.isPaused) await delay(1);
      body.push(chunk);
    }
    body.finish();
    expect(await pending).toMatchObject({ body: 'ok', error: undefined });
    expect(body.resumeCount).toBeGreaterThan(0);
  });

  it('whose beginning is gone from the start fails the request, not the process', async () => {
    const { port } = await start((socket) => socket.write(OK));
    const body = new TestBody(5);
    body.canReplay = false;
    const { error } = await forwardOnce(client, uploadTo(port, body));
    expect(error?.code).toBe('GW_INTERNAL');
  });
});
