/** Bytes behind a request must never become a request that somebody else on the path did not see. */
import { describe, expect, it } from 'vitest';
import { exchangeBytes, exchangeRaw } from '../../support/raw-http.ts';
import { echo, INGRESSES, request, startToyListener, streamBack } from './start-toy-listener.ts';

describe.each(INGRESSES)('the %s ingress', async (ingress) => {
  const QUIET = { quietMs: 250 };
  const SMUGGLED = request('GET /smuggled');
  const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
  const CHUNKED = 'Transfer-Encoding: chunked';

  const toy = await startToyListener(ingress, {
    '/echo': echo,
    '/stream': streamBack,
    '/measured': (exchange) => {
      exchange.writeHead(200, [], 10, true);
      exchange.write(Buffer.from('01234'));
      exchange.write(Buffer.from('56789'));
      exchange.end();
    },
    '/empty': (exchange) => exchange.send(204, ['X-Toy', 'yes'], ''),
    '/later': (exchange) => {
      setTimeout(() => exchange.send(200, [], 'late'), 20);
    },
  });

  describe('a request whose framing is doubtful', () => {
    const doubtful: readonly (readonly [string, readonly string[]])[] = [
      ['lengths of 0 and of what follows', ['Content-Length: 0', `Content-Length: ${SMUGGLED.length}`]],
      ['lengths of what follows and of 0', [`Content-Length: ${SMUGGLED.length}`, 'Content-Length: 0']],
      ['the same length twice', ['Content-Length: 0', 'Content-Length: 0']],
      ['a signed length', ['Content-Length: +0']],
      ['a list of lengths', ['Content-Length: 0, 0']],
      ['an empty length', ['Content-Length:']],
      ['a length and chunks', ['Content-Length: 0', CHUNKED]],
      ['chunks and a length', [CHUNKED, 'Content-Length: 0']],
      ['two transfer encodings', [CHUNKED, 'Transfer-Encoding: identity']],
      ['a transfer encoding that only ends in chunked', ['Transfer-Encoding: gzip, chunked']],
      ['an unknown transfer encoding', ['Transfer-Encoding: xchunked']],
      ['a transfer encoding hidden behind a tab', ['Transfer-Encoding:\tidentity']],
      ['two hosts', ['Host: other']],
      ['a space before the colon', ['Content-Length : 5']],
      ['a folded line', ['X-A: b', ' Content-Length: 5']],
      ['a bare line feed', [`X-A: b\nContent-Length: 5`]],
    ];

    it.each(doubtful)('never lets what follows reach the handler: %s', async (_, headers) => {
      toy.served.length = 0;
      for (const line of ['POST /first', 'GET /first']) {
        const together = await exchangeBytes(toy.port, request(line, headers) + SMUGGLED, QUIET);
        const apart = await exchangeBytes(toy.port, [request(line, headers), SMUGGLED], QUIET);
        expect(together.hasClosed && apart.hasClosed).toBe(true);
      }
      expect(toy.served).toEqual([]);
    });

    it('gets its 400 before the connection is closed when nothing has come behind it', async () => {
      const { responses, hasClosed } = await exchangeRaw(
        toy.port,
        request('GET /', ['Content-Length: 0', 'Content-Length: 40']),
        QUIET,
      );
      expect(hasClosed).toBe(true);
      expect(responses).toMatchObject([{ status: 400, body: 'GW_BAD_REQUEST', isComplete: true }]);
      expect(responses[0]?.headers).toContainEqual(['connection', 'close']);
    });

    it('gets 501 for a transfer encoding nobody knows', async () => {
      const { responses } = await exchangeRaw(
        toy.port,
        request('POST /', ['Transfer-Encoding: gzip']),
        QUIET,
      );
      expect(responses).toMatchObject([{ status: 501, body: 'GW_TRANSFER_ENCODING_UNKNOWN' }]);
    });
  });

  describe.runIf(ingress === 'fast')('a request with a chunked body', () => {
    it.each([
      ['answered when the body has been read', '/echo', 'hello'],
      ['answered while the body comes', '/stream', 'hello'],
      ['answered before the body was looked at', '/early', 'hello'],
      ['answered with a measured stream', '/measured', '0123456789'],
      ['answered later', '/later', 'late'],
      ['answered without a body', '/empty', ''],
    ])('is answered whole and its connection closed: %s', async (_, path, body) => {
      for (const parts of [
        [request(`POST ${path}`, [CHUNKED]) + CHUNKS],
        [request(`POST ${path}`, [CHUNKED]), '5\r\nhel', 'lo\r\n', '0\r\n\r\n'],
        [request(`PROPFIND ${path}`, [CHUNKED]), CHUNKS],
      ]) {
        const { responses } = await exchangeRaw(toy.port, parts, QUIET);
        expect(responses).toMatchObject([{ body, isComplete: true }]);
        expect(responses[0]?.headers.filter(([name]) => name === 'connection')).toEqual([
          ['connection', 'close'],
        ]);
      }
    });

    it.each(['/echo', '/stream', '/early', '/measured', '/later', '/empty'])(
      'lets nothing behind it reach the handler of %s',
      async (path) => {
        const head = request(`POST ${path}`, [CHUNKED]);
        for (const parts of [
          [head + CHUNKS + SMUGGLED],
          [head, CHUNKS + SMUGGLED],
          [head + CHUNKS, SMUGGLED],
          [head, CHUNKS, SMUGGLED, SMUGGLED],
          [`${head}5\r\nhello\r\n0\r\nX:${SMUGGLED}`],
          [head, `5\r\nhello\r\n0\r\nX:${SMUGGLED}`],
          [head, '5\r\nhello\r\n0\r\n', `X: y\r\n\r\n${SMUGGLED}`],
          [`${head}0;${SMUGGLED}`],
          [`${head}5;a=b\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
          [`${head}\r\n${SMUGGLED}`],
          [`${head}5\r\nhelloXX0\r\n\r\n${SMUGGLED}`],
        ]) {
          toy.served.length = 0;
          await exchangeBytes(toy.port, parts, QUIET);
          expect(toy.served.filter((line) => line !== `POST ${path}`)).toEqual([]);
          expect(toy.served.length).toBeLessThanOrEqual(1);
        }
      },
    );

    it('is answered at once, and closed when its client goes on and on with a body nobody wants', async () => {
      const head = request('POST /early', [CHUNKED]);
      const early = await exchangeRaw(toy.port, [head, '5\r\nhello\r\n'], QUIET);
      expect(early).toMatchObject({
        responses: [{ status: 200, body: 'hello', isComplete: true }],
        hasClosed: false,
      });
      const megabyte = `${(1024 * 1024).toString(16)}\r\n${'x'.repeat(1024 * 1024)}\r\n`;
      const { responses, hasClosed } = await exchangeRaw(toy.port, [head, megabyte, megabyte], QUIET);
      expect(responses).toMatchObject([{ status: 200, body: 'hello', isComplete: true }]);
      expect(hasClosed).toBe(true);
    });
  });

  describe.runIf(ingress === 'fast')('what the library refuses by itself', () => {
    it.each([
      ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400'],
      ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: toy\r\n\r\n', '505'],
      ['an absolute target', 'GET http://toy/ HTTP/1.1\r\nHost: toy\r\n\r\n', '505'],
      ['an asterisk target', 'OPTIONS * HTTP/1.1\r\nHost: toy\r\n\r\n', '505'],
      ['a tab for a space', 'GET\t/ HTTP/1.1\r\nHost: toy\r\n\r\n', '505'],
      ['two spaces', 'GET  / HTTP/1.1\r\nHost: toy\r\n\r\n', '505'],
      ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: toy\r\nX: a\0b\r\n\r\n', '400'],
      ['a header name with a slash', 'GET / HTTP/1.1\r\nHost: toy\r\nX/Y: a\r\n\r\n', '400'],
      ['a hundred headers', request('GET /', new Array<string>(100).fill('X: y')), '431'],
      ['a head of 40 KB', request('GET /', new Array<string>(6).fill(`X: ${'y'.repeat(7000)}`)), '431'],
    ])('never reaches the handler: %s', async (_, bytes, status) => {
      toy.served.length = 0;
      const { received, hasClosed } = await exchangeBytes(toy.port, bytes, QUIET);
      expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(hasClosed).toBe(true);
      expect(toy.served).toEqual([]);
    });
  });

  describe('a request that is refused before routing', () => {
    it.each([
      ['a bad Host', ['GET /', 'a/b'], 400],
      ['an empty Host', ['GET /', ''], 400],
      ['a lower-case method', ['get /', 'toy'], 400],
      ['an odd method', ['G@T /', 'toy'], 400],
      ['bytes beyond ASCII in the target', ['GET /\xc3\xa9', 'toy'], 400],
      ['a request line over 8 KiB', [`GET /${'a'.repeat(8192)}`, 'toy'], 414],
      ['a query over 8 KiB', [`GET /?${'a'.repeat(8192)}`, 'toy'], 414],
    ] as const)('is answered and its connection closed: %s', async (_, [line, host], status) => {
      toy.served.length = 0;
      const bytes = `${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      const { responses, hasClosed } = await exchangeRaw(toy.port, [bytes, SMUGGLED], QUIET);
      expect(responses).toMatchObject([{ status }]);
      expect(hasClosed).toBe(true);
      expect(toy.served).toEqual([]);
    });

    it('gets 400 for a header line over 8 KiB', async () => {
      const { responses } = await exchangeRaw(toy.port, request('GET /', [`X: ${'y'.repeat(8192)}`]), QUIET);
      expect(responses).toMatchObject([{ status: 400, body: 'GW_HEADERS_TOO_LARGE' }]);
    });

    it.runIf(ingress === 'fast')('keeps its connection after TRACE and CONNECT, which get 405', async () => {
      const bytes = request('TRACE /') + request('CONNECT /') + request('GET /');
      const { responses, hasClosed } = await exchangeRaw(toy.port, bytes, QUIET);
      expect(responses.map(({ status }) => status)).toEqual([405, 405, 200]);
      expect(hasClosed).toBe(false);
    });
  });
});
