/** What only the strict ingress does: older requests, whole URLs, requests in a row, and everything odd refused. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { exchangeBytes, exchangeRaw, headerOf } from '../../support/raw-http.ts';
import { echo, request, startToyListener, until } from './start-toy-listener.ts';

const QUIET = { quietMs: 300 };
const CHUNKED = 'Transfer-Encoding: chunked';
const SMUGGLED = request('GET /smuggled');
const CLIENT_TIMEOUT_MS = 400;

const toy = await startToyListener(
  'strict',
  {
    '/echo': echo,
    '/slow': (exchange) => setTimeout(() => exchange.send(200, [], 'slow'), 50),
    '/never': () => undefined,
    '/open': (exchange) => {
      exchange.writeHead(200, [], undefined, true);
      exchange.write(Buffer.from('first'));
      setTimeout(() => exchange.end(), 20);
    },
    '/streams': (exchange) => {
      exchange.writeHead(200, [], undefined, true);
      exchange.body?.startReading({ onChunk: (chunk) => exchange.write(chunk), onEnd: () => exchange.end() });
    },
  },
  { clientTimeoutMs: CLIENT_TIMEOUT_MS },
);

describe('HTTP/1.0', () => {
  it('is served, and the connection closed behind the answer', async () => {
    const { responses, hasClosed } = await exchangeRaw(
      toy.port,
      'GET /a HTTP/1.0\r\nHost: toy\r\n\r\n',
      QUIET,
    );
    expect(responses).toMatchObject([{ status: 200, body: 'hello' }]);
    expect(headerOf(responses[0]!, 'connection')).toBe('close');
    expect(hasClosed).toBe(true);
    expect(toy.exchanges.at(-1)).toMatchObject({ httpVersion: '1.0', host: 'toy' });
  });

  it('needs no Host', async () => {
    const { responses } = await exchangeRaw(toy.port, 'GET / HTTP/1.0\r\n\r\n', QUIET);
    expect(responses).toMatchObject([{ status: 200 }]);
    expect(toy.exchanges.at(-1)?.host).toBeUndefined();
  });

  it('keeps its connection where the client asks for that and the end of the answer is known', async () => {
    const bytes = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const { responses, hasClosed } = await exchangeRaw(toy.port, bytes + bytes, QUIET);
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(headerOf(responses[0]!, 'connection')).toBe('keep-alive');
    expect(hasClosed).toBe(false);
  });

  it('gets an answer of unknown length without chunks, up to the end of the connection', async () => {
    const { responses, hasClosed } = await exchangeRaw(toy.port, 'GET /open HTTP/1.0\r\n\r\n', QUIET);
    expect(responses).toMatchObject([{ status: 200, body: 'first' }]);
    expect(headerOf(responses[0]!, 'transfer-encoding')).toBeUndefined();
    expect(hasClosed).toBe(true);
  });

  it('knows no chunks', async () => {
    const bytes = `POST /echo HTTP/1.0\r\nHost: toy\r\n${CHUNKED}\r\n\r\n0\r\n\r\n`;
    const { responses, hasClosed } = await exchangeRaw(toy.port, bytes + SMUGGLED, QUIET);
    expect(responses).toMatchObject([{ status: 400 }]);
    expect(hasClosed).toBe(true);
  });
});

describe('a target that is a whole URL', () => {
  it('tells host, path and query, and wins over the Host header', async () => {
    await exchangeBytes(toy.port, 'GET http://other:81/a%2Fb?c=d HTTP/1.1\r\nHost: toy\r\n\r\n', QUIET);
    expect(toy.exchanges.at(-1)).toMatchObject({
      host: 'other:81',
      rawPath: '/a%2Fb',
      rawQuery: 'c=d',
      headers: ['host', 'other:81'],
    });
  });

  it('may have no path', async () => {
    await exchangeBytes(toy.port, 'GET http://other?c HTTP/1.1\r\nHost: toy\r\n\r\n', QUIET);
    expect(toy.exchanges.at(-1)).toMatchObject({ host: 'other', rawPath: '/', rawQuery: 'c' });
  });

  it.each(['http://a@b/', 'http:///x', 'ftp://other/', '*'])(
    'is refused where it is odd: %s',
    async (target) => {
      const { responses, hasClosed } = await exchangeRaw(
        toy.port,
        `GET ${target} HTTP/1.1\r\nHost: toy\r\n\r\n`,
        QUIET,
      );
      expect(responses).toMatchObject([{ status: 400 }]);
      expect(hasClosed).toBe(true);
    },
  );
});

describe('requests in a row', () => {
  it('are answered in their order, one behind the other', async () => {
    toy.served.length = 0;
    const bytes =
      request('GET /slow') + request('GET /a') + request('POST /echo', ['Content-Length: 2'], 'hi');
    const { responses, hasClosed } = await exchangeRaw(toy.port, bytes, QUIET);
    expect(responses.map(({ body }) => body)).toEqual(['slow', 'hello', 'hi']);
    expect(toy.served).toEqual(['GET /slow', 'GET /a', 'POST /echo']);
    expect(hasClosed).toBe(false);
  });

  it('may be many', async () => {
    const { responses } = await exchangeRaw(toy.port, request('GET /a').repeat(500), {
      quietMs: 2000,
    });
    expect(responses).toHaveLength(500);
  });

  it('begin only when the one before has been answered', async () => {
    toy.served.length = 0;
    await exchangeBytes(toy.port, request('GET /never') + request('GET /a'), QUIET);
    expect(toy.served).toEqual(['GET /never']);
  });

  it('may follow a body in chunks, with extensions and trailers', async () => {
    const body = '3;a="b"\r\nhel\r\n2\r\nlo\r\n0;c\r\nX-Trailer: y\r\n\r\n';
    const { responses } = await exchangeRaw(
      toy.port,
      request('POST /echo', [CHUNKED, 'Trailer: X-Trailer'], body) + request('GET /a'),
      QUIET,
    );
    expect(responses.map(({ body: text }) => text)).toEqual(['hello', 'hello']);
    expect(toy.exchanges.at(-2)?.headers).not.toContain('x-trailer');
  });

  it('end with the one that cannot be read, which is told so behind the others', async () => {
    const { responses, hasClosed } = await exchangeRaw(
      toy.port,
      `${request('GET /slow')}G@RBAGE\r\n\r\n`,
      QUIET,
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 400]);
    expect(hasClosed).toBe(true);
  });

  it('are not served behind a Connection: close', async () => {
    toy.served.length = 0;
    const bytes = request('GET /slow', ['Connection: close']) + SMUGGLED;
    const { responses, hasClosed } = await exchangeRaw(toy.port, bytes, QUIET);
    expect(responses.map(({ body }) => body)).toEqual(['slow']);
    expect(toy.served).toEqual(['GET /slow']);
    expect(hasClosed).toBe(true);
  });
});

describe('what could be read in two ways', () => {
  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', '400'],
    ['an unknown version', 'GET / HTTP/1.2\r\nHost: toy\r\n\r\n', '400'],
    ['no version', 'GET /\r\n\r\n', '400'],
    ['HTTP/2 by name only', 'GET / HTTP/2.0\r\nHost: toy\r\n\r\n', '400'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
    ['a tab for a space', 'GET\t/ HTTP/1.1\r\nHost: toy\r\n\r\n', '400'],
    ['a bare line feed', 'GET / HTTP/1.1\r\nHost: toy\nX: y\r\n\r\n', '400'],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: toy\rX: y\r\n\r\n', '400'],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: toy\r\nX: a\r\n b\r\n\r\n', '400'],
    ['a space before the first header', 'GET / HTTP/1.1\r\n X: y\r\nHost: toy\r\n\r\n', '400'],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost : toy\r\n\r\n', '400'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: toy\r\nX: a\0b\r\n\r\n', '400'],
    ['a control byte in a header', 'GET / HTTP/1.1\r\nHost: toy\r\nX: a\x01b\r\n\r\n', '400'],
    ['a control byte in the target', 'GET /a\x01 HTTP/1.1\r\nHost: toy\r\n\r\n', '400'],
    ['a header name with a slash', 'GET / HTTP/1.1\r\nHost: toy\r\nX/Y: a\r\n\r\n', '400'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: toy\r\n: a\r\n\r\n', '400'],
    ['over a hundred headers', request('GET /', new Array<string>(100).fill('X: y')), '400'],
    ['a head of 40 KB', request('GET /', new Array<string>(6).fill(`X: ${'y'.repeat(7000)}`)), '400'],
    ['a target of 40 KB', request(`GET /${'y'.repeat(40_000)}`), '414'],
    ['a chunk that is longer than it says', request('POST /echo', [CHUNKED], '5\r\nhelloXX0\r\n\r\n'), '400'],
    ['a chunk size with a space', request('POST /echo', [CHUNKED], '5 \r\nhello\r\n0\r\n\r\n'), '400'],
    [
      'a chunk size in another notation',
      request('POST /echo', [CHUNKED], '0x5\r\nhello\r\n0\r\n\r\n'),
      '400',
    ],
    ['an endless chunk', request('POST /echo', [CHUNKED], 'ffffffffffffffff1\r\nhello\r\n'), '400'],
    ['a chunk that ends in a line feed', request('POST /echo', [CHUNKED], '5\nhello\r\n0\r\n\r\n'), '400'],
    [
      'a length among trailers',
      request('POST /echo', [CHUNKED], `0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`),
      '400',
    ],
  ])('gets one refusal and a closed connection: %s', async (_, bytes, status) => {
    toy.served.length = 0;
    for (const parts of [bytes + SMUGGLED, [bytes, SMUGGLED]]) {
      const { received, hasClosed } = await exchangeBytes(toy.port, parts, QUIET);
      expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(received.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
      expect(hasClosed).toBe(true);
    }
    expect(toy.served.filter((line) => line !== 'POST /echo')).toEqual([]);
  });

  it('is heard of by the gateway when it had begun to answer', async () => {
    toy.events.length = 0;
    const parts = [request('POST /streams', [CHUNKED], '5\r\nhello\r\n'), 'x\r\n'];
    const { responses, hasClosed } = await exchangeRaw(toy.port, parts, QUIET);
    expect(responses).toMatchObject([{ status: 200, isComplete: false }]);
    expect(hasClosed).toBe(true);
    expect(toy.events).toEqual(['aborted /streams']);
  });

  it('is a method that takes over the connection', async () => {
    for (const line of ['TRACE /', 'CONNECT toy:80']) {
      const { responses } = await exchangeRaw(toy.port, request(line), QUIET);
      expect(responses.map(({ status }) => status)).toEqual([405]);
    }
  });
});

describe('a client that takes its time', () => {
  it('over a head is refused, however little is missing', async () => {
    const socket = connect(toy.port, '127.0.0.1');
    let received = '';
    let hasEnded = false;
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('end', () => {
      hasEnded = true;
    });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => socket.writable && socket.write('X-A: b\r\n'), 50);
    await until('it is refused', () => hasEnded);
    clearInterval(drip);
    socket.destroy();
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('over a body is refused when it stops, and the gateway hears that it has gone', async () => {
    toy.events.length = 0;
    const bytes = request('POST /echo', ['Content-Length: 10'], 'half');
    const { responses, hasClosed } = await exchangeRaw(toy.port, bytes, { quietMs: 3000 });
    expect(responses).toMatchObject([{ status: 408, body: 'GW_REQUEST_TIMEOUT' }]);
    expect(hasClosed).toBe(true);
    expect(toy.events).toEqual(['aborted /echo']);
  });

  it('over a body is borne while it goes on', async () => {
    const parts = [request('POST /echo', ['Content-Length: 10']), ...'0123456789'];
    const socket = connect(toy.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, CLIENT_TIMEOUT_MS / 5));
    }
    await until('it is answered', () => received.endsWith('0123456789'));
    socket.destroy();
  });

  it('is not told to send a body that nobody reads', async () => {
    const head = request('POST /a', ['Content-Length: 5', 'Expect: 100-continue']);
    const { responses } = await exchangeRaw(toy.port, head, QUIET);
    expect(responses.map(({ status, body }) => [status, body])).toEqual([[200, 'hello']]);
  });
});
