/** Clients that send too much, too slowly, half of it, or the next request too early. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { exchangeBytes, parseResponses } from '../../support/raw-http.ts';
import { HOST, head, post } from './case.ts';
import { BODY_LIMIT, type HostileProxy, INGRESSES, startHostileProxy } from './hostile-proxy.ts';

/** Longer than the gateway in these tests has patience with heads and bodies. */
const PATIENCE_MS = 9000;

let proxy: HostileProxy;
beforeAll(async () => {
  proxy = await startHostileProxy();
});
afterAll(() => proxy.stop());

const inChunks = (byteCount: number): string => {
  const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
  return `${chunk.repeat(byteCount / 1000)}0\r\n\r\n`;
};

describe.each(INGRESSES)('on the $kind ingress', ({ kind }) => {
  async function exchange(...parts: readonly string[]) {
    const before = proxy.upstreamCounts();
    const { received, hasClosed } = await exchangeBytes(proxy.portOf(kind), parts, { quietMs: PATIENCE_MS });
    const after = proxy.upstreamCounts();
    return {
      statuses: parseResponses(received).map(({ status }) => status),
      received,
      hasClosed,
      requests: after.requests - before.requests,
      connections: after.connections - before.connections,
    };
  }
  const UNHEARD = { requests: 0, connections: 0, hasClosed: true };

  it('a body as long as allowed arrives, declared or in chunks', async () => {
    for (const sent of [
      post(['Connection: close', `Content-Length: ${BODY_LIMIT}`], 'x'.repeat(BODY_LIMIT)),
      post(['Connection: close', 'Transfer-Encoding: chunked'], inChunks(BODY_LIMIT)),
    ]) {
      expect(await exchange(sent)).toMatchObject({ statuses: [200], requests: 1, hasClosed: true });
      expect(proxy.upstream.lastRequest?.body).toHaveLength(BODY_LIMIT);
    }
  });

  it('a longer one is refused with 413 before anybody hears of it', async () => {
    const declared = post(`Content-Length: ${BODY_LIMIT + 1}`);
    expect(await exchange(declared)).toMatchObject({ statuses: [413], ...UNHEARD });
    expect(await exchange(declared, 'x'.repeat(BODY_LIMIT + 1))).toMatchObject({
      statuses: [413],
      ...UNHEARD,
    });
    expect(await exchange(post('Content-Length: 999999999999'))).toMatchObject({
      statuses: [413],
      ...UNHEARD,
    });
    const counted = post('Transfer-Encoding: chunked', inChunks(BODY_LIMIT + 1000));
    expect(await exchange(counted)).toMatchObject({ statuses: [413], ...UNHEARD });
  });

  it('a body that stops in the middle is 408', async () => {
    const lasting = await exchange(post('Transfer-Encoding: chunked', '5\r\nhel'));
    expect(lasting).toMatchObject({ statuses: [408], ...UNHEARD });
    // A body with a length is passed on as it comes: the service has heard of it, and is left.
    const measured = await exchange(post('Content-Length: 10', 'hel'));
    expect(measured).toMatchObject({ statuses: [408], hasClosed: true });
    expect(measured.received).toContain('Request timeout');
  });

  it('a body that comes slowly, but comes, arrives', async () => {
    const port = proxy.portOf(kind);
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.write(post(['Content-Length: 6', 'Connection: close']));
    for (const letter of 'slowly') {
      await new Promise((resolve) => setTimeout(resolve, 400));
      socket.write(letter);
    }
    await pollUntil(
      'the answer',
      () => received,
      (text) => text.includes('slowly'),
    );
    socket.destroy();
  });

  it('a head that never ends is given up, whether it stops or trickles', async () => {
    expect(await exchange('GET / HTTP/1.1\r\nHost: x')).toMatchObject(UNHEARD);
    const socket = connect(proxy.portOf(kind), '127.0.0.1');
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nX: ');
    const trickle = setInterval(() => socket.write('x'), 200);
    await pollUntil(
      'the connection is closed',
      () => isClosed,
      (closed) => closed,
    );
    clearInterval(trickle);
  });

  it('nothing at all is given up too', async () => {
    const { statuses, ...end } = await exchange('');
    expect(end).toMatchObject(UNHEARD);
    expect(statuses).toEqual(kind === 'strict' ? [408] : []);
  });

  it.each([
    ['a head', head('GET / HTTP/1.1').slice(0, -4)],
    ['a body', post('Content-Length: 10', 'hel')],
    ['a chunk', post('Transfer-Encoding: chunked', '5\r\nhel')],
    ['chunks', post('Transfer-Encoding: chunked', '5\r\nhello\r\n')],
  ])('a client that leaves in the middle of %s is not taken for one that is done', async (_, bytes) => {
    const earlier = proxy.upstream.lastRequest;
    const socket = connect(proxy.portOf(kind), '127.0.0.1');
    await new Promise((resolve) => socket.write(bytes, resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(proxy.upstream.lastRequest).toBe(earlier);
  });

  it('Expect: 100-continue is answered before the body, and a refusal comes in its place', async () => {
    const expecting = ['Expect: 100-continue', 'Connection: close'];
    const told = await exchange(post([...expecting, 'Content-Length: 5']), 'hello');
    expect(told).toMatchObject({ statuses: [100, 200], requests: 1 });
    expect(proxy.upstream.lastRequest?.headers.some(([name]) => /^expect$/i.test(name))).toBe(false);
    const refused = await exchange(post([...expecting, `Content-Length: ${BODY_LIMIT + 1}`]));
    expect(refused.statuses.at(-1)).toBe(413);
    expect(refused).toMatchObject(UNHEARD);
  });

  it('hop-by-hop names of framing do not unframe a body', async () => {
    for (const name of ['Content-Length', 'Transfer-Encoding', 'Host']) {
      const sent = post([`Connection: close, ${name}`, 'Content-Length: 5'], 'hello');
      expect(await exchange(sent)).toMatchObject({ statuses: [200], requests: 1 });
      expect(proxy.upstream.lastRequest?.body).toBe('hello');
    }
  });

  it('a request inside a body stays a body', async () => {
    const inner = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
    for (const line of ['POST / HTTP/1.1', 'GET / HTTP/1.1', 'DELETE / HTTP/1.1', 'OPTIONS / HTTP/1.1']) {
      const sent = head(line, 'Connection: close', `Content-Length: ${inner.length}`) + inner;
      expect(await exchange(sent)).toMatchObject({ statuses: [200], requests: 1 });
      expect(proxy.upstream.lastRequest).toMatchObject({ url: '/', body: inner });
    }
  });

  it('requests in a row are answered in order, each to its own sender, or not at all', async () => {
    const row = [1, 2, 3].map((number) => head(`GET /row/${number} HTTP/1.1`)).join('');
    const { statuses, received } = await exchange(row);
    if (kind === 'strict') expect(statuses).toEqual([200, 200, 200]);
    const urls = [...received.matchAll(/"url":"(\/row\/\d)"/g)].map(([, url]) => url);
    expect(urls).toEqual(['/row/1', '/row/2', '/row/3'].slice(0, urls.length));
  });
});
