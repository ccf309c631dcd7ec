import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createUpstreamClient } from '../../../core/upstream/forward.ts';
import { forwardOnce, requestTo } from './forward-once.ts';
import { type RawUpstream, startRawUpstream } from './raw-upstream.ts';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';

let upstream: RawUpstream | undefined;
const client = createUpstreamClient();
afterAll(() => client.close());
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
});

/** Answers the first request with `bytes` (and a close, if told), later ones well. */
const startOnceBad = async (bytes: string, closes = false): Promise<RawUpstream> => {
  upstream = await startRawUpstream((socket, requestNumber) => {
    if (requestNumber > 1) socket.write(GOOD);
    else if (closes) socket.end(bytes, 'latin1');
    else socket.write(bytes, 'latin1');
  });
  return upstream;
};

const REFUSED: readonly [title: string, bytes: string][] = [
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ngood'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['surplus bytes', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodbye'],
  ['a split response', `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${GOOD}`],
  ['a lone CR in a header', 'HTTP/1.1 200 OK\r\nLocation: /\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n'],
  ['a lone LF in a header', 'HTTP/1.1 200 OK\r\nLocation: /\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n'],
  ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
  ['a flood of interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100_000)],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'X-Filler: filler filler filler\r\n'.repeat(20_000)}`],
  ['a header value without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
  ['another protocol', '220 mail.test ESMTP\r\n'],
  ['nothing but a body', 'hello'],
];

describe('a malformed answer', () => {
  it.each(REFUSED)('is a 502 on a connection that is not used again: %s', async (_title, bytes) => {
    const { port, sockets } = await startOnceBad(bytes);
    const bad = await forwardOnce(client, requestTo(port, { retries: 5 }));
    expect(bad.error).toMatchObject({ code: 'GW_UPSTREAM_MALFORMED', status: 502 });
    expect(bad.head).toBeUndefined();
    // A malformed answer is not asked for twice: contract/proxy.md section 7.2.
    expect(bad.attempts).toHaveLength(1);

    const good = await forwardOnce(client, requestTo(port));
    expect(good).toMatchObject({ error: undefined, body: 'good' });
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ['before its head', ''],
    ['within its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ])('is a 502 when the upstream closes %s', async (_title, bytes) => {
    const { port, sockets } = await startOnceBad(bytes, true);
    const bad = await forwardOnce(client, requestTo(port));
    expect(bad.error).toMatchObject({ code: 'GW_UPSTREAM_CLOSED', status: 502 });
    expect(await forwardOnce(client, requestTo(port))).toMatchObject({ error: undefined, body: 'good' });
    expect(sockets).toHaveLength(2);
  });

  it.each([
    [
      'a close within the body',
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello',
      true,
      'GW_UPSTREAM_CLOSED',
    ],
    [
      'a close between chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      true,
      'GW_UPSTREAM_CLOSED',
    ],
    [
      'a bad chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
      false,
      'GW_UPSTREAM_MALFORMED',
    ],
  ])(
    'cuts the answer short behind its head, without another attempt: %s',
    async (_title, bytes, closes, code) => {
      const { port, sockets } = await startOnceBad(bytes, closes);
      const bad = await forwardOnce(client, requestTo(port, { retries: 5 }));
      expect(bad).toMatchObject({ head: { status: 200 }, body: 'hello', error: { code } });
      expect(bad.attempts).toHaveLength(1);
      expect(bad.attempts[0]?.error?.code).toBe(code);
      expect(await forwardOnce(client, requestTo(port))).toMatchObject({ error: undefined, body: 'good' });
      expect(sockets).toHaveLength(2);
    },
  );

  it('costs the connection alone when surplus bytes follow an answer that is out', async () => {
    upstream = await startRawUpstream((socket, requestNumber) => {
      if (requestNumber > 1) return socket.write(GOOD);
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n');
      setTimeout(() => socket.write(`0\r\n\r\n${GOOD.replace('good', 'evil')}`), 20);
    });
    expect(await forwardOnce(client, requestTo(upstream.port))).toMatchObject({
      error: undefined,
      body: 'fine',
    });
    expect(await forwardOnce(client, requestTo(upstream.port))).toMatchObject({ body: 'good' });
    expect(upstream.sockets).toHaveLength(2);
  });

  it('never reaches the next request, whatever was changed in it', async () => {
    let mutated = '';
    upstream = await startRawUpstream((socket, requestNumber, head) => {
      if (head.startsWith('GET /bad')) {
        socket.write(mutated, 'latin1');
        setTimeout(() => socket.end(), 2);
      } else {
        const body = `good ${requestNumber}`;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      }
    });
    const { port, heads } = upstream;
    const bad = requestTo(port, { head: 'GET /bad HTTP/1.1\r\nHost: upstream.test\r\n\r\n' });
    const bases = [
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nevil',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
    ];
    const splice = fc.constantFrom('', '\r', '\n', '\r\n', '0', '5', ':', ' ', '\0', '0\r\n\r\n', bases[0]!);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...bases),
        fc.array(fc.tuple(fc.nat(100), fc.nat(2), splice), { maxLength: 3 }),
        async (base, changes) => {
          mutated = changes.reduce(
            (bytes, [at, removed, inserted]) => bytes.slice(0, at) + inserted + bytes.slice(at + removed),
            base,
          );
          await forwardOnce(client, bad);
          const next = await forwardOnce(client, requestTo(port));
          expect(next).toMatchObject({ error: undefined, body: `good ${heads.length}` });
        },
      ),
      { numRuns: 200 },
    );
  });
});
