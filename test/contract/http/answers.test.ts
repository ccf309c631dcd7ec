/** What goes out on the wire for each way of answering. */
import { describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import { exchangeBytes, exchangeRaw, headerOf } from '../../support/raw-http.ts';
import { INGRESSES, request, startToyListener } from './start-toy-listener.ts';

describe.each(INGRESSES)('the %s ingress', async (ingress) => {
  const QUIET = { quietMs: 250 };
  let isDraining = false;

  const soon = (run: () => void) => setTimeout(run, 10);

  const toy = await startToyListener(
    ingress,
    {
      '/headers': (exchange) =>
        exchange.send(299, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Latin', 'caf\xe9'], 'x'),
      '/text': (exchange) => exchange.send(200, [], 'h\u00e9llo'),
      '/bytes': (exchange) => exchange.send(200, [], Buffer.from([0, 255, 10]).subarray(1)),
      '/close': (exchange) => exchange.send(200, [], 'bye', true),
      '/204': (exchange) => exchange.send(204, [], 'never sent'),
      '/304': (exchange) => exchange.writeHead(304, ['ETag', '"1"'], undefined, false),
      '/304-measured': (exchange) => exchange.writeHead(304, ['ETag', '"1"'], 77, false),
      '/head-measured': (exchange) => exchange.writeHead(200, [], 1234, false),
      '/head-chunked': (exchange) => exchange.writeHead(200, [], undefined, false),
      '/empty-measured': (exchange) => exchange.writeHead(200, [], 0, true),
      '/empty-chunked': (exchange) => {
        exchange.writeHead(200, [], undefined, true);
        exchange.end();
      },
      '/measured': (exchange) =>
        soon(() => {
          exchange.writeHead(200, ['X-Toy', 'yes'], 10, true);
          soon(() => {
            exchange.write(Buffer.from('01234'));
            soon(() => {
              exchange.write(Buffer.from('56789'));
              exchange.end();
            });
          });
        }),
      '/chunked': (exchange) =>
        soon(() => {
          exchange.writeHead(200, ['X-Toy', 'yes'], undefined, true);
          exchange.write(Buffer.from('hello '));
          soon(() => {
            exchange.cork(() => {
              exchange.write(Buffer.from('wor'));
              exchange.write(Buffer.alloc(0));
              exchange.write(Buffer.from('ld'));
              exchange.end();
            });
          });
        }),
      '/short': (exchange) => {
        exchange.writeHead(200, [], 10, true);
        exchange.write(Buffer.from('01234'));
        exchange.end();
      },
      '/long': (exchange) => {
        exchange.writeHead(200, [], 4, true);
        exchange.write(Buffer.from('01'));
        exchange.write(Buffer.from('23456'));
        exchange.end();
      },
      '/twice': (exchange) => {
        exchange.send(200, [], 'first');
        exchange.send(500, [], 'second');
        exchange.writeHead(500, [], undefined, true);
        exchange.write(Buffer.from('third'));
        exchange.end();
        exchange.destroy();
      },
      '/throws': () => {
        throw new Error('a bug');
      },
    },
    { isDraining: () => isDraining, onHandlerError: () => undefined },
  );

  async function ask(line: string, headers: readonly string[] = []) {
    const method = line.split(' ')[0] as string;
    const { responses, hasClosed } = await exchangeRaw(toy.port, request(line, headers), {
      ...QUIET,
      methods: [method],
    });
    expect(responses).toHaveLength(1);
    return { ...(responses[0] as (typeof responses)[0]), hasClosed };
  }

  describe('an answer in one go', () => {
    it('has a length, one Date and no mark of the library', async () => {
      const answer = await ask('GET /');
      expect(answer).toMatchObject({ status: 200, reason: 'OK', body: 'hello', hasClosed: false });
      expect(answer.headers.map(([name]) => name).sort()).toEqual(['content-length', 'date', 'x-toy']);
    });

    it('keeps repeated headers apart and writes latin1 as it is', async () => {
      const answer = await ask('GET /headers');
      expect(answer.status).toBe(299);
      expect(answer.headers.filter(([name]) => name === 'set-cookie')).toEqual([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      expect(headerOf(answer, 'x-latin')).toBe('caf\xe9');
    });

    it('counts the bytes of a text, not its characters, and sends a part of a buffer as that part', async () => {
      expect(await ask('GET /text')).toMatchObject({ body: 'h\xc3\xa9llo' });
      expect(await ask('GET /bytes')).toMatchObject({ body: '\xff\n' });
    });

    it('closes the connection behind it when asked to', async () => {
      const answer = await ask('GET /close');
      expect(answer).toMatchObject({ body: 'bye', hasClosed: true });
      expect(headerOf(answer, 'connection')).toBe('close');
    });

    it('closes the connection when the client asked for that', async () => {
      expect(await ask('GET /', ['Connection: close'])).toMatchObject({ body: 'hello', hasClosed: true });
    });

    it('is the only one: everything after it does nothing', async () => {
      expect(await ask('GET /twice')).toMatchObject({ status: 200, body: 'first', hasClosed: false });
    });
  });

  describe('an answer without a body', () => {
    it('to HEAD keeps the length', async () => {
      const { received } = await exchangeBytes(
        toy.port,
        request('HEAD /') + request('HEAD /head-measured'),
        QUIET,
      );
      expect(received.match(/content-length: \d+/gi)).toEqual(['Content-Length: 5', 'Content-Length: 1234']);
      expect(received.split('\r\n\r\n').map((head) => head.slice(0, 12))).toEqual([
        'HTTP/1.1 200',
        'HTTP/1.1 200',
        '',
      ]);
    });

    it('to HEAD has no length when none is known', async () => {
      const answer = await ask('HEAD /head-chunked');
      expect(headerOf(answer, 'content-length')).toBeUndefined();
    });

    it('with 204 has neither length nor body', async () => {
      const { received } = await exchangeBytes(toy.port, request('GET /204'), QUIET);
      expect(received).toMatch(/^HTTP\/1\.1 204 No Content\r\nDate: [^\r]+\r\n\r\n$/);
    });

    it('with 304 has a length only when one is given', async () => {
      expect(headerOf(await ask('GET /304'), 'content-length')).toBeUndefined();
      expect(headerOf(await ask('GET /304-measured'), 'content-length')).toBe('77');
    });

    it('leaves the connection in step for the next request', async () => {
      const paths = ['HEAD /', 'GET /204', 'GET /304', 'GET /304-measured', 'HEAD /head-measured', 'GET /'];
      const { responses } = await exchangeRaw(toy.port, paths.map((line) => request(line)).join(''), {
        ...QUIET,
        methods: paths.map((line) => line.split(' ')[0] as string),
      });
      expect(responses.map(({ status }) => status)).toEqual([200, 204, 304, 304, 200, 200]);
      expect(responses.at(-1)?.body).toBe('hello');
    });
  });

  describe('a streamed answer', () => {
    it('with a known length carries that length and ends with its last byte', async () => {
      const answer = await ask('GET /measured');
      expect(answer).toMatchObject({ status: 200, body: '0123456789', isComplete: true, hasClosed: false });
      expect(headerOf(answer, 'content-length')).toBe('10');
      expect(headerOf(answer, 'transfer-encoding')).toBeUndefined();
      expect(headerOf(answer, 'x-toy')).toBe('yes');
    });

    it('without a length goes out in chunks', async () => {
      const answer = await ask('GET /chunked');
      expect(answer).toMatchObject({ status: 200, body: 'hello world', isComplete: true, hasClosed: false });
      expect(headerOf(answer, 'transfer-encoding')).toBe('chunked');
      expect(headerOf(answer, 'content-length')).toBeUndefined();
    });

    it('may be empty', async () => {
      expect(await ask('GET /empty-measured')).toMatchObject({ status: 200, body: '', hasClosed: false });
      expect(await ask('GET /empty-chunked')).toMatchObject({ status: 200, body: '', hasClosed: false });
    });

    it('is cut when fewer bytes come than were announced', async () => {
      const { responses, hasClosed } = await exchangeRaw(toy.port, request('GET /short'), QUIET);
      expect(hasClosed).toBe(true);
      expect(responses.every(({ isComplete }) => !isComplete)).toBe(true);
    });

    it('is cut rather than sent with more bytes than were announced', async () => {
      const { received, hasClosed } = await exchangeBytes(toy.port, request('GET /long'), QUIET);
      expect(hasClosed).toBe(true);
      expect(received).not.toContain('3456');
    });
  });

  it('cuts the connection of a request whose handler throws, and serves on', async () => {
    expect(await exchangeBytes(toy.port, request('GET /throws'), QUIET)).toEqual({
      received: '',
      hasClosed: true,
    });
    expect(await ask('GET /')).toMatchObject({ status: 200 });
  });

  it('asks clients to leave while it is being drained', async () => {
    isDraining = true;
    try {
      for (const line of ['GET /', 'GET /measured', 'GET /chunked', 'GET /204']) {
        const answer = await ask(line);
        expect(answer.headers.filter(([name]) => name === 'connection')).toEqual([['connection', 'close']]);
        expect(answer.isComplete).toBe(true);
      }
      expect(await ask('GET /')).toMatchObject({ hasClosed: true });
    } finally {
      isDraining = false;
    }
  });

  it.each([
    'GET /',
    'HEAD /',
    'GET /204',
    'GET /304-measured',
    'GET /measured',
    'GET /chunked',
    'GET /empty-measured',
    'GET /empty-chunked',
  ])('counts the bytes it sends for %s', async (line) => {
    toy.exchanges.length = 0;
    const { received } = await exchangeBytes(toy.port, request(line), QUIET);
    expect((toy.exchanges[0] as ClientExchange).bytesSent).toBe(received.length);
  });
});
