import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createUpstreamClient,
  type UpstreamClient,
  type UpstreamClientOptions,
} from '../../../core/upstream/forward.ts';
import { forwardOnce, originAt, requestTo, TestBody, uploadTo } from './forward-once.ts';
import { type RawAnswer, type RawUpstream, startRawUpstream } from './raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let upstream: RawUpstream;
let client: UpstreamClient;
afterEach(async () => {
  client.close();
  await upstream.stop();
});

const start = async (answer: RawAnswer, options: UpstreamClientOptions = {}): Promise<void> => {
  upstream = await startRawUpstream(answer);
  client = createUpstreamClient(options);
};
const get = () => forwardOnce(client, requestTo(upstream.port));
const waitUntil = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(5);
};

describe('an upstream connection', () => {
  it('serves one request after another', async () => {
    await start((socket) => socket.write(OK));
    for (let count = 0; count < 5; count++)
      expect(await get()).toMatchObject({ body: 'ok', error: undefined });
    expect(upstream.sockets).toHaveLength(1);
    expect(client.stats()).toEqual({
      openConnections: 1,
      idleConnections: 1,
      connectionsOpened: 1,
      connectionsReused: 4,
      requestsInFlight: 0,
    });
  });

  it('is written to within the call when it is idle, and is there for whoever hears the end', async () => {
    await start((socket) => socket.write(OK));
    await get();
    const second = await new Promise<string>((resolve) => {
      void forwardOnce(client, requestTo(upstream.port), {
        onEnd: () => void get().then((outcome) => resolve(outcome.body)),
      });
      expect(client.stats()).toMatchObject({ idleConnections: 0, connectionsReused: 1 });
    });
    expect(second).toBe('ok');
    expect(upstream.sockets).toHaveLength(1);
  });

  it('is shared by requests to the same origin only', async () => {
    await start((socket) => socket.write(OK));
    await get();
    const other = originAt(upstream.port, { serverName: 'other.test' });
    await forwardOnce(client, requestTo(upstream.port, { origin: other }));
    expect(upstream.sockets).toHaveLength(2);
  });

  it('is never shared by two requests at a time', async () => {
    const waiting: Socket[] = [];
    await start((socket) => {
      waiting.push(socket);
      if (waiting.length === 3) for (const each of waiting) each.write(OK);
    });
    await Promise.all([get(), get(), get()]);
    expect(upstream.sockets).toHaveLength(3);
    expect(client.stats().idleConnections).toBe(3);
  });

  it.each([
    ['the upstream says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['it speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['it promises not to wait', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'],
  ])('closes behind the answer when %s', async (_title, bytes) => {
    await start((socket) => socket.write(bytes));
    expect(await get()).toMatchObject({ body: 'ok' });
    expect(client.stats().openConnections).toBe(0);
    expect(await get()).toMatchObject({ body: 'ok' });
    expect(upstream.sockets).toHaveLength(2);
  });

  it('ends a body without length by closing', async () => {
    await start((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
    expect(await get()).toMatchObject({
      body: 'until the end',
      error: undefined,
      head: { bodyLength: undefined },
    });
    expect(client.stats().openConnections).toBe(0);
  });

  it('closes after its share of requests', async () => {
    await start((socket) => socket.write(OK), { maxRequestsPerConnection: 3 });
    for (let count = 0; count < 7; count++) await get();
    expect(upstream.sockets).toHaveLength(3);
  });

  it('has no limit where that is 0', async () => {
    await start((socket) => socket.write(OK), { maxRequestsPerConnection: 0, idleTimeoutMs: 0 });
    for (let count = 0; count < 7; count++) await get();
    expect(upstream.sockets).toHaveLength(1);
    expect(client.stats().idleConnections).toBe(1);
  });

  it('is not kept beyond the bound of its pool', async () => {
    const waiting: Socket[] = [];
    await start(
      (socket) => {
        waiting.push(socket);
        if (waiting.length === 4) for (const each of waiting) each.write(OK);
      },
      { maxIdleConnections: 2 },
    );
    await Promise.all([get(), get(), get(), get()]);
    expect(client.stats()).toMatchObject({ idleConnections: 2, openConnections: 2 });
  });

  it('closes after its idle time', async () => {
    await start((socket) => socket.write(OK), { idleTimeoutMs: 50 });
    await get();
    expect(client.stats().idleConnections).toBe(1);
    await once(upstream.sockets[0]!, 'close');
    expect(client.stats().openConnections).toBe(0);
  });

  it('is thrown away when the upstream closes it while idle', async () => {
    await start((socket) => socket.write(OK));
    await get();
    upstream.sockets[0]!.end();
    await waitUntil(() => client.stats().idleConnections === 0);
    expect(await get()).toMatchObject({ body: 'ok', error: undefined });
    expect(upstream.sockets).toHaveLength(2);
  });

  it('is thrown away when the upstream speaks unasked', async () => {
    await start((socket) => socket.write(OK));
    await get();
    upstream.sockets[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await waitUntil(() => client.stats().idleConnections === 0);
    expect(await get()).toMatchObject({ body: 'ok' });
    expect(upstream.sockets).toHaveLength(2);
  });

  it('carries no other request when the answer came before the end of the upload', async () => {
    await start((socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'));
    const body = new TestBody(1000);
    body.push('beginning');
    expect(await forwardOnce(client, uploadTo(upstream.port, body))).toMatchObject({
      head: { status: 413 },
      body: 'no',
    });
    expect(client.stats().openConnections).toBe(0);
  });

  it('carries no other request when the upload was not as long as announced', async () => {
    await start((socket) => socket.write(OK));
    const body = new TestBody(10);
    body.push('short');
    body.finish();
    await forwardOnce(client, uploadTo(upstream.port, body));
    expect(client.stats().openConnections).toBe(0);
  });
});

describe('an abort', () => {
  it('closes the connection and tells nobody', async () => {
    await start(() => undefined);
    let isHeard = false;
    const hear = (): void => {
      isHeard = true;
    };
    void forwardOnce(
      client,
      requestTo(upstream.port),
      { onHead: hear, onEnd: hear, onError: hear },
      (exchange) => {
        void waitUntil(() => upstream.heads.length === 1).then(() => exchange.abort());
      },
    );
    await waitUntil(() => upstream.sockets.length === 1);
    await once(upstream.sockets[0]!, 'close');
    expect(isHeard).toBe(false);
    expect(client.stats()).toMatchObject({ openConnections: 0, requestsInFlight: 0 });
  });

  it('may come from within any event', async () => {
    await start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n'),
    );
    for (const event of ['onHead', 'onChunk', 'onFlush'] as const) {
      const heard: string[] = [];
      await new Promise<void>((resolve) => {
        const note = (name: string) => () => {
          heard.push(name);
          if (name !== event) return true;
          exchange.abort();
          setTimeout(resolve, 20);
          return true;
        };
        const exchange = client.forward(requestTo(upstream.port), {
          onHead: note('onHead'),
          onChunk: note('onChunk'),
          onFlush: note('onFlush'),
          onEnd: note('onEnd'),
          onError: note('onError'),
        });
      });
      expect(heard.filter((name) => name === event)).toHaveLength(1);
      expect(heard.at(-1)).toBe(event);
    }
    expect(client.stats()).toMatchObject({ openConnections: 0, requestsInFlight: 0 });
  });
});

describe('shutting down', () => {
  it('drains: idle connections close at once, busy ones behind their answer', async () => {
    let answer = (): void => undefined;
    await start((socket, requestNumber) => {
      if (requestNumber < 3) socket.write(OK);
      else answer = () => socket.write(OK);
    });
    await Promise.all([get(), get()]);
    const last = get();
    await waitUntil(() => upstream.heads.length === 3);
    let isDrained = false;
    const drained = client.drain().then(() => {
      isDrained = true;
    });
    expect(client.stats().openConnections).toBe(1);
    expect(isDrained).toBe(false);
    answer();
    expect(await last).toMatchObject({ body: 'ok', error: undefined });
    await drained;
    expect(client.stats().openConnections).toBe(0);
  });

  it('cuts what is under way, without another attempt', async () => {
    await start(() => undefined);
    const pending = forwardOnce(client, requestTo(upstream.port, { retries: 5 }));
    await waitUntil(() => upstream.heads.length === 1);
    client.close();
    expect((await pending).error?.code).toBe('GW_UPSTREAM_CLOSED');
    expect((await get()).error?.code).toBe('GW_UPSTREAM_CLOSED');
    expect(upstream.sockets).toHaveLength(1);
  });
});
