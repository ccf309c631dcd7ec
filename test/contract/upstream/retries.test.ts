import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { addressOf } from '../../../core/dns/host-answer.ts';
import { createUpstreamClient } from '../../../core/upstream/forward.ts';
import { forwardOnce, originAt, requestTo, TestBody, uploadTo } from './forward-once.ts';
import { findClosedPort, type RawUpstream, startRawUpstream } from './raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'LOCK', 'PATCH'];
const UNREPEATABLE = ['POST', 'LOCK', 'PATCH'];

let upstream: RawUpstream | undefined;
const client = createUpstreamClient({
  lookUp: (host, done) =>
    process.nextTick(
      done,
      host === 'two.test'
        ? { kind: 'found', type: 'A', addresses: ['127.0.0.1', '127.0.0.2'].map(addressOf), ttlMs: 60_000 }
        : { kind: 'none', reason: 'no such name', ttlMs: 0 },
    ),
});
afterEach(() => upstream?.stop());
afterAll(() => client.close());

const start = async (...answers: Parameters<typeof startRawUpstream>): Promise<RawUpstream> => {
  upstream = await startRawUpstream(...answers);
  return upstream;
};

describe('retries (contract/proxy.md section 7.2)', () => {
  it.each(METHODS)('a refused connection is tried 1 + retries times for %s', async (method) => {
    const port = await findClosedPort();
    const { error, attempts } = await forwardOnce(client, requestTo(port, { method, retries: 3 }));
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_CONNECT_FAILED', status: 502 });
    expect(attempts).toHaveLength(4);
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({ ip: '127.0.0.1', port, error: { code: 'GW_UPSTREAM_CONNECT_FAILED' } });
    }
  });

  it.each(METHODS)('a request that was sent is repeated only where that is safe: %s', async (method) => {
    const { port, heads } = await start((socket, requestNumber) => {
      if (requestNumber < 3) socket.destroy();
      else socket.write(method === 'HEAD' ? OK.slice(0, -2) : OK);
    });
    const { head, error, attempts } = await forwardOnce(client, requestTo(port, { method, retries: 5 }));
    if (UNREPEATABLE.includes(method)) {
      expect(error?.code).toBe('GW_UPSTREAM_CLOSED');
      expect(heads).toHaveLength(1);
    } else {
      expect(head?.status).toBe(200);
      expect(attempts.map((attempt) => attempt.error?.code)).toEqual([
        'GW_UPSTREAM_CLOSED',
        'GW_UPSTREAM_CLOSED',
        undefined,
      ]);
    }
  });

  it('stop when no try is left, and the last failure decides', async () => {
    const { port, heads } = await start((socket, requestNumber) => {
      if (requestNumber < 3) socket.destroy();
    });
    const { error, attempts } = await forwardOnce(client, requestTo(port, { retries: 2, readTimeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_READ_TIMEOUT', status: 504 });
    expect(attempts).toHaveLength(3);
    expect(heads).toHaveLength(3);
  });

  it('never follow a complete answer', async () => {
    const { port, heads } = await start((socket) =>
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'),
    );
    expect(await forwardOnce(client, requestTo(port, { retries: 5 }))).toMatchObject({
      head: { status: 503 },
    });
    expect(heads).toHaveLength(1);
  });

  it('replay a body that is still held', async () => {
    const { port } = await start(
      (socket, requestNumber) => {
        if (requestNumber === 1) setTimeout(() => socket.destroy(), 10);
      },
      (socket, received) => {
        if (received.endsWith('\r\n\r\nwhat isheld')) socket.write(OK);
      },
    );
    const body = new TestBody(11);
    body.push('what ');
    setTimeout(() => {
      body.push('isheld');
      body.finish();
    }, 40);
    const { error, attempts } = await forwardOnce(client, uploadTo(port, body, { retries: 1 }));
    expect(error).toBeUndefined();
    expect(attempts).toHaveLength(2);
    expect(body.readingCount).toBe(2);
  });

  it('do not follow once the beginning of the body is gone', async () => {
    const body = new TestBody(1000);
    body.push('beginning');
    const { port, heads } = await start((socket) => {
      body.canReplay = false;
      socket.destroy();
    });
    const { error } = await forwardOnce(client, uploadTo(port, body, { retries: 5 }));
    expect(error?.code).toBe('GW_UPSTREAM_CLOSED');
    expect(heads).toHaveLength(1);
  });

  it('go to the next address of a name', async () => {
    const { port } = await start((socket) => socket.write(OK));
    const origin = originAt(port, { host: 'two.test' });
    const outcomes = [];
    for (let count = 0; count < 3; count++) {
      outcomes.push(await forwardOnce(client, requestTo(port, { origin, retries: 1 })));
    }
    for (const outcome of outcomes) expect(outcome).toMatchObject({ body: 'ok', error: undefined });
    const attempts = outcomes.flatMap((outcome) => outcome.attempts);
    expect(attempts.map(({ ip, error }) => [ip, error?.code])).toEqual([
      ['127.0.0.1', undefined],
      ['127.0.0.2', 'GW_UPSTREAM_CONNECT_FAILED'],
      ['127.0.0.1', undefined],
      ['127.0.0.2', 'GW_UPSTREAM_CONNECT_FAILED'],
      ['127.0.0.1', undefined],
    ]);
  });

  it('do not help a name that cannot be resolved', async () => {
    const origin = originAt(80, { host: 'none.test' });
    const { error, attempts } = await forwardOnce(client, requestTo(80, { origin, retries: 5 }));
    expect(error).toMatchObject({ code: 'GW_NAME_RESOLUTION_FAILED', status: 503 });
    expect(attempts).toEqual([]);
  });
});

describe('a reused connection that fails before any byte of an answer', () => {
  /** Answers the first request of each connection and closes at the second one, as an idle timeout would. */
  const startForgetful = () => {
    const served = new Set<Socket>();
    return start((socket) => {
      if (served.has(socket)) return socket.destroy();
      served.add(socket);
      return socket.write(OK);
    });
  };

  it('is replaced by a new one without using up a try', async () => {
    const { port, sockets } = await startForgetful();
    await forwardOnce(client, requestTo(port));
    const { body, error, attempts } = await forwardOnce(client, requestTo(port, { retries: 0 }));
    expect({ body, error }).toEqual({ body: 'ok', error: undefined });
    expect(attempts).toHaveLength(1);
    expect(sockets).toHaveLength(2);
  });

  it('is not replaced for a request that may not be sent twice', async () => {
    const { port, heads } = await startForgetful();
    await forwardOnce(client, requestTo(port));
    const { error } = await forwardOnce(client, requestTo(port, { method: 'POST', retries: 5 }));
    expect(error?.code).toBe('GW_UPSTREAM_CLOSED');
    await delay(20);
    expect(heads).toHaveLength(2);
  });
});
