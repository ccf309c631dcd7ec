/** What the gateway sees of a request, and what it hears about the client afterwards. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import { exchangeBytes, exchangeRaw } from '../../support/raw-http.ts';
import { echo, INGRESSES, request, startToyListener, streamBack, until } from './start-toy-listener.ts';

describe.each(INGRESSES)('the %s ingress', async (ingress) => {
  const QUIET = { quietMs: 250 };
  const MEGABYTE = 1024 * 1024;

  const toy = await startToyListener(
    ingress,
    {
      '/echo': echo,
      '/stream': streamBack,
      '/never': () => undefined,
      '/half': (exchange) => {
        exchange.writeHead(200, [], undefined, true);
        exchange.write(Buffer.from('half'));
      },
    },
    { maxBodyBytes: 8 * MEGABYTE, maxHeldBodyBytes: 64 * 1024 },
  );

  async function look(bytes: string): Promise<ClientExchange> {
    toy.exchanges.length = 0;
    await exchangeBytes(toy.port, bytes, { quietMs: 50 });
    return toy.exchanges[0] as ClientExchange;
  }

  describe('an exchange', () => {
    it('tells method, target and headers exactly as they came', async () => {
      const bytes = request('PROPFIND /a%2Fb//../c;x?q=%20&&a?b', ['X-A: 1', 'x-b:2', 'X-A:   3  ', 'X_C: ']);
      const exchange = await look(bytes);
      expect(exchange).toMatchObject({
        method: 'PROPFIND',
        rawPath: '/a%2Fb//../c;x',
        rawQuery: 'q=%20&&a?b',
        headers: ['host', 'toy', 'x-a', '1', 'x-b', '2', 'x-a', '3', 'x_c', ''],
        host: 'toy',
        scheme: 'http',
        httpVersion: '1.1',
        peerAddress: '127.0.0.1',
        localPort: toy.port,
        isAborted: false,
      });
      expect(exchange.body).toBeUndefined();
      expect(exchange.receivedAtMs).toBeGreaterThan(Date.now() - 10_000);
    });

    it('tells no query from an empty one', async () => {
      expect((await look(request('GET /a'))).rawQuery).toBeUndefined();
      expect((await look(request('GET /a?'))).rawQuery).toBe('');
    });

    it('keeps the bytes of a UTF-8 header value, one character a byte', async () => {
      expect((await look(request('GET /', ['X-Name: Jos\xc3\xa9!']))).headers).toEqual([
        'host',
        'toy',
        'x-name',
        'Jos\xc3\xa9!',
      ]);
    });

    it('counts the bytes of head and body', async () => {
      const bytes = request('POST /echo?a=b', ['Content-Length: 5'], 'hello');
      expect((await look(bytes)).bytesReceived).toBe(bytes.length);
    });

    it('has no body when the length is 0', async () => {
      expect((await look(request('POST /', ['Content-Length: 0']))).body).toBeUndefined();
    });

    it.each(['/', '/a', '/a/', '//', '/a/b/c/d/e/f', '/*', '/:a', '/%00', '/a*b'])(
      'exists for the path %s',
      async (path) => {
        expect((await look(request(`GET ${path}`))).rawPath).toBe(path);
      },
    );
  });

  describe('a connection', () => {
    it('serves many requests one after the other', async () => {
      toy.served.length = 0;
      const accepted = toy.connections.accepted;
      const socket = connect(toy.port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        if (toy.served.length < 1000) socket.write(request('GET /'));
        else socket.end();
      });
      socket.write(request('GET /'));
      await until('a thousand requests are answered', () => received.split('hello').length === 1001);
      socket.destroy();
      expect(toy.connections.accepted).toBe(accepted + 1);
    });

    it('answers pipelined requests in order as long as each is answered at once', async () => {
      const { responses } = await exchangeRaw(toy.port, request('GET /').repeat(20), QUIET);
      expect(responses).toHaveLength(20);
    });

    // The strict one lets it wait.
    it.runIf(ingress === 'fast')(
      'is closed when a second request comes while the first one waits for its answer',
      async () => {
        toy.served.length = 0;
        const { received, hasClosed } = await exchangeBytes(
          toy.port,
          request('GET /never') + request('GET /'),
          QUIET,
        );
        expect({ received, hasClosed, served: toy.served }).toEqual({
          received: '',
          hasClosed: true,
          served: ['GET /never'],
        });
      },
    );

    it('is counted while it lives', async () => {
      await until('earlier connections are gone', () => toy.connections.active === 0);
      const socket = connect(toy.port, '127.0.0.1');
      await until('it is counted', () => toy.connections.active === 1);
      socket.destroy();
      await until('it is no longer counted', () => toy.connections.active === 0);
    });
  });

  describe('a client that goes away', () => {
    it.each([
      ['before an answer', request('GET /never')],
      ['in the middle of an answer', request('GET /half')],
      ['in the middle of its own body', request('POST /stream', ['Content-Length: 10'], 'half')],
      ['in the middle of a chunked body', request('POST /echo', ['Transfer-Encoding: chunked'], '5\r\nhe')],
    ])('is noticed once, and answering it does nothing: %s', async (_, bytes) => {
      toy.exchanges.length = 0;
      toy.events.length = 0;
      const socket = connect(toy.port, '127.0.0.1');
      socket.write(bytes);
      await until('the request has arrived', () => toy.exchanges.length === 1);
      const exchange = toy.exchanges[0] as ClientExchange;
      socket.destroy();
      await until('the end is noticed', () => exchange.isAborted);
      exchange.send(200, [], 'x');
      exchange.writeHead(200, [], undefined, true);
      expect(exchange.write(Buffer.from('x'))).toBe(false);
      exchange.end();
      exchange.body?.resume();
      let hasRun = false;
      exchange.cork(() => {
        hasRun = true;
      });
      exchange.destroy();
      expect(hasRun).toBe(true);
      expect(toy.events).toEqual([`aborted ${exchange.rawPath}`]);
    });

    it('is not reported when the gateway cut the connection itself', async () => {
      toy.exchanges.length = 0;
      toy.events.length = 0;
      const answer = exchangeBytes(toy.port, request('GET /never'), QUIET);
      await until('the request has arrived', () => toy.exchanges.length === 1);
      toy.exchanges[0]?.destroy();
      expect(await answer).toEqual({ received: '', hasClosed: true });
      expect(toy.exchanges[0]?.isAborted).toBe(true);
      expect(toy.events).toEqual([]);
    });
  });

  describe('a request body', () => {
    it('of a megabyte comes through whole, with a length and in chunks', async () => {
      const body = Buffer.alloc(MEGABYTE, 'tollgate ').toString('latin1');
      const measured = request('POST /echo', [`Content-Length: ${MEGABYTE}`, 'Connection: close'], body);
      const chunked = request(
        'POST /echo',
        ['Transfer-Encoding: chunked'],
        `${MEGABYTE.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );
      for (const bytes of [measured, chunked]) {
        const { responses } = await exchangeRaw(toy.port, bytes, QUIET);
        expect(responses).toMatchObject([{ status: 200, isComplete: true }]);
        expect(responses[0]?.body === body).toBe(true);
      }
    });

    it('waits in the client while its reader wants no more', async () => {
      const total = 6 * MEGABYTE;
      let taken = 0;
      let read: (() => void) | undefined;
      const slow = await startToyListener(
        ingress,
        {
          '/slow': (exchange) => {
            exchange.body?.startReading({
              onChunk: (chunk) => {
                taken += chunk.length;
                read = () => exchange.body?.resume();
                return false;
              },
              onEnd: () => exchange.send(200, [], String(taken)),
            });
          },
        },
        { maxHeldBodyBytes: 64 * 1024 },
      );
      const socket = connect(slow.port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
      });
      socket.write(request('PUT /slow', [`Content-Length: ${total}`]));
      socket.write(Buffer.alloc(total));
      await until('the first bytes are read', () => read !== undefined);
      const atPause = taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(taken).toBe(atPause);
      expect(taken).toBeLessThan(total / 2);
      const pump = setInterval(() => read?.(), 1);
      await until('the answer comes', () => received.endsWith(String(total)));
      clearInterval(pump);
      socket.destroy();
    });

    it('nobody reads is held up to its limit and no further', async () => {
      const socket = connect(toy.port, '127.0.0.1');
      toy.exchanges.length = 0;
      socket.write(request('POST /never', [`Content-Length: ${6 * MEGABYTE}`]));
      socket.write(Buffer.alloc(6 * MEGABYTE));
      await until('the request has arrived', () => (toy.exchanges[0]?.body?.bytesReceived ?? 0) > 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      // One read of the library, half a megabyte at most, may come on top.
      expect(toy.exchanges[0]?.body?.bytesReceived).toBeLessThan(MEGABYTE);
      socket.destroy();
    });

    it('that nobody wants is passed over, and the connection serves on', async () => {
      const first = request('POST /', ['Content-Length: 300000'], 'x'.repeat(300_000));
      const { responses } = await exchangeRaw(toy.port, [first, request('GET /')], QUIET);
      expect(responses).toMatchObject([{ body: 'hello' }, { body: 'hello' }]);
    });

    it('announced as longer than allowed gets 413 before it is read', async () => {
      toy.served.length = 0;
      const bytes = request('POST /echo', [`Content-Length: ${8 * MEGABYTE + 1}`]);
      const { responses, hasClosed } = await exchangeRaw(toy.port, [bytes, 'x'.repeat(2 * MEGABYTE)], QUIET);
      expect(responses).toMatchObject([{ status: 413, body: 'GW_BODY_TOO_LARGE' }]);
      expect({ hasClosed, served: toy.served }).toEqual({ hasClosed: true, served: [] });
    });

    it('growing longer than allowed gets 413, and the gateway hears that the client is gone', async () => {
      toy.events.length = 0;
      const chunk = `${MEGABYTE.toString(16)}\r\n${'x'.repeat(MEGABYTE)}\r\n`;
      const bytes = request('POST /echo', ['Transfer-Encoding: chunked']);
      const { received, hasClosed } = await exchangeBytes(
        toy.port,
        [bytes, ...new Array<string>(9).fill(chunk), '0\r\n\r\n'],
        QUIET,
      );
      expect(hasClosed).toBe(true);
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      expect(toy.events).toEqual(['aborted /echo']);
    });

    it('is asked for with 100 Continue when the client waits for that', async () => {
      const head = request('POST /echo', ['Content-Length: 5', 'Expect: 100-continue']);
      const { responses } = await exchangeRaw(toy.port, [head, 'hello'], QUIET);
      expect(responses.map(({ status, body }) => [status, body])).toEqual([
        [100, ''],
        [200, 'hello'],
      ]);
    });
  });
});
