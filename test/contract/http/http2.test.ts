/** HTTP/2 in the clear, for clients that know that it is spoken. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';
import { afterAll, describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import { exchangeBytes, exchangeRaw } from '../../support/raw-http.ts';
import { echo, request, startToyListener, until } from './start-toy-listener.ts';

const MEGABYTE = 1024 * 1024;

const toy = await startToyListener(
  'fast',
  {
    '/echo': echo,
    '/never': () => undefined,
    '/empty': (exchange) => exchange.send(204, ['X-Toy', 'yes'], ''),
    '/headers': (exchange) =>
      exchange.send(
        200,
        ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'ETag', '1', 'ETag', '2', 'Connection', 'Upgrade'],
        'x',
      ),
    '/hop': (exchange) => exchange.send(200, ['TE', 'gzip', 'Keep-Alive', 'timeout=5'], 'x'),
    '/unknown': (exchange) => exchange.send(700, [], 'x'),
    '/reset': (exchange) => {
      exchange.writeHead(205, ['X-Toy', 'yes'], 4, true);
      exchange.write(Buffer.from('text'));
      exchange.end();
    },
    '/twice': (exchange) => {
      exchange.writeHead(200, ['Content-Type', 'application/grpc'], undefined, true);
      exchange.end(['content-type', 'a', 'content-type', 'b']);
    },
    '/half': (exchange) => {
      exchange.writeHead(200, [], undefined, true);
      exchange.write(Buffer.from('half'));
    },
    '/short': (exchange) => {
      exchange.writeHead(200, [], 10, true);
      exchange.write(Buffer.from('half'));
      exchange.end();
    },
    '/call': (exchange) => {
      exchange.writeHead(200, ['Content-Type', 'application/grpc'], undefined, true);
      exchange.write(Buffer.from('message'));
      exchange.end(['grpc-status', '0', 'grpc-message', 'fine']);
    },
    '/big': (exchange) => pump(exchange, 32),
    '/endless': (exchange) => {
      const { events } = exchange;
      pump(exchange, 1_000_000);
      if (events !== undefined)
        exchange.events = { ...events, onDrain: exchange.events?.onDrain ?? events.onDrain };
    },
  },
  { speaksHttp2: true, maxBodyBytes: 8 * MEGABYTE, clientTimeoutMs: 400, maxHeldBodyBytes: 64 * 1024 },
);

let given = 0;
function pump(exchange: ClientExchange, megabytes: number): void {
  given = 0;
  const give = (): void => {
    while (given < megabytes) {
      given++;
      if (!exchange.write(Buffer.alloc(MEGABYTE, 'x'))) return;
    }
    exchange.end();
  };
  exchange.events = { onAborted: () => undefined, onDrain: give };
  exchange.writeHead(200, [], undefined, true);
  give();
}

const sessions: ClientHttp2Session[] = [];
afterAll(() => {
  for (const session of sessions) session.destroy();
});

function open(): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${toy.port}`);
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
}

interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: string;
  /** The stream's end: 0 for a good one. */
  readonly code: number | undefined;
}

function collect(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    let body = '';
    stream.on('response', (given) => {
      headers = given;
    });
    stream.on('trailers', (given) => {
      trailers = given;
    });
    stream.on('data', (chunk) => {
      body += chunk;
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ headers, trailers, body, code: stream.rstCode }));
  });
}

const ask = (path: string, headers: Record<string, string | string[]> = {}, body?: string | Buffer) => {
  const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return collect(stream);
};

const session = open();

describe('a request', () => {
  it('is told as one of HTTP/1 would be', async () => {
    await ask('/a%2Fb//../c?q=%20&&a?b', {
      ':authority': 'Toy.test:81',
      'x-a': ['1', '2'],
      cookie: ['a=1', 'b=2'],
    });
    expect(toy.exchanges.at(-1)).toMatchObject({
      method: 'GET',
      rawPath: '/a%2Fb//../c',
      rawQuery: 'q=%20&&a?b',
      host: 'Toy.test:81',
      headers: ['host', 'Toy.test:81', 'x-a', '1', 'x-a', '2', 'cookie', 'a=1; b=2'],
      httpVersion: '2',
      scheme: 'http',
      peerAddress: '127.0.0.1',
      localPort: toy.port,
      body: undefined,
    });
  });

  it('may have a body of any length', async () => {
    for (const body of ['', 'hello', Buffer.alloc(MEGABYTE, 'x')]) {
      const answer = await ask('/echo', { ':method': 'POST' }, body);
      expect(answer.body.length).toBe(body.length);
    }
    const measured = await ask('/echo', { ':method': 'POST', 'content-length': '5' }, 'hello');
    expect(measured.body).toBe('hello');
    expect(toy.exchanges.at(-1)?.body?.declaredLength).toBe(5);
  });

  it('is refused where a request of HTTP/1 would be', async () => {
    toy.served.length = 0;
    const refused: readonly (readonly [Record<string, string>, number])[] = [
      [{ ':path': '*', ':method': 'OPTIONS' }, 400],
      [{ ':authority': 'a', host: 'b' }, 400],
      [{ ':authority': 'a..b' }, 400],
      [{ ':method': 'TRACE' }, 405],
      [{ ':path': `/${'y'.repeat(9000)}` }, 414],
      [{ 'content-length': String(9 * MEGABYTE), ':method': 'POST' }, 413],
    ];
    for (const [headers, status] of refused) {
      const stream = session.request({ ':path': '/', ...headers }, { endStream: status !== 413 });
      expect((await collect(stream)).headers[':status']).toBe(status);
    }
    expect(toy.served).toEqual([]);
  });

  it('with a body that grows too long gets 413, and the gateway hears that the client is gone', async () => {
    toy.events.length = 0;
    const answer = await ask('/echo', { ':method': 'POST' }, Buffer.alloc(9 * MEGABYTE));
    expect(answer.headers[':status']).toBe(413);
    expect(toy.events).toEqual(['aborted /echo']);
  });

  it('whose body stops gets 408', async () => {
    const stream = session.request({ ':path': '/echo', ':method': 'POST' });
    stream.write('half');
    expect((await collect(stream)).headers[':status']).toBe(408);
  });

  it('is many at a time on one connection', async () => {
    const { accepted } = toy.connections;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask('/echo', { ':method': 'POST' }, 'x')),
    );
    expect(answers.map(({ body }) => body).join('')).toBe('x'.repeat(50));
    expect(toy.connections.accepted).toBe(accepted);
  });
});

describe('an answer', () => {
  it('has a length where one is known, and no headers of a connection', async () => {
    const { headers, body } = await ask('/headers');
    expect(body).toBe('x');
    expect(headers).toMatchObject({
      ':status': 200,
      'content-length': '1',
      'set-cookie': ['a=1', 'b=2'],
      etag: '1',
    });
    expect(headers['connection']).toBeUndefined();
    expect(headers['date']).toBeDefined();
  });

  it('may have no body', async () => {
    const empty = await ask('/empty');
    expect(empty).toMatchObject({ body: '', headers: { ':status': 204, 'x-toy': 'yes' } });
    const head = await ask('/a', { ':method': 'HEAD' });
    expect(head).toMatchObject({ body: '', headers: { ':status': 200, 'content-length': '5' } });
  });

  it('of an upstream that HTTP/2 cannot say is brought into a form that it can', async () => {
    expect(await ask('/hop')).toMatchObject({ body: 'x', headers: { ':status': 200 }, code: 0 });
    expect(await ask('/unknown')).toMatchObject({ body: 'x', headers: { ':status': 500 }, code: 0 });
    const reset = await ask('/reset');
    expect(reset).toMatchObject({ body: '', headers: { ':status': 205, 'x-toy': 'yes' }, code: 0 });
  });

  it('with trailers that cannot be is cut', async () => {
    const headers = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    expect((await ask('/twice', headers, 'question')).code).not.toBe(0);
    expect((await ask('/a')).body).toBe('hello');
  });

  it('has trailers where it is that of a call', async () => {
    const headers = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    const answer = await ask('/call', headers, 'question');
    expect(answer).toMatchObject({
      body: 'message',
      trailers: { 'grpc-status': '0', 'grpc-message': 'fine' },
    });
  });

  it('that cannot be completed is cut', async () => {
    expect((await ask('/short')).code).not.toBe(0);
  });

  it('waits for a client that does not read', async () => {
    const stream = session.request({ ':path': '/big' });
    stream.pause();
    await until('it is on its way', () => given > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(given).toBeLessThan(16);
    expect((await collect(stream.resume())).body.length).toBe(32 * MEGABYTE);
  });
});

it('hears of a client that resets a stream, and serves its others', async () => {
  toy.events.length = 0;
  const stream = session.request({ ':path': '/half' });
  await new Promise((resolve) => stream.once('response', resolve));
  stream.close(8);
  await until('the end is noticed', () => toy.events.length > 0);
  expect(toy.events).toEqual(['aborted /half']);
  expect((await ask('/a')).body).toBe('hello');
});

it('hears of a client that goes away while its answer waits for it', async () => {
  toy.events.length = 0;
  const leaving = open();
  const stream = leaving.request({ ':path': '/endless' });
  stream.pause();
  await until('it is on its way', () => given > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  leaving.socket.destroy();
  await until('the end is noticed', () => toy.events.length > 0);
  expect(toy.events).toEqual(['aborted /endless']);
});

describe('a connection that goes wrong', () => {
  const frame = (type: number, flags: number, stream: number, payload = '') =>
    `\0\0${String.fromCharCode(payload.length, type, flags)}\0\0\0${String.fromCharCode(stream)}${payload}`;
  const opening = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(4, 0, 0)}`;
  // POST, http, / and an authority, by the numbers of HPACK.
  const head = '\x83\x86\x84\x01\x04toy1';

  it('before its request could be served ends alone', async () => {
    const lengthOfThree = '\x0f\x0d\x013';
    const longerThanSaid = frame(1, 4, 1, head + lengthOfThree) + frame(0, 1, 1, 'hello');
    const { hasClosed } = await exchangeBytes(toy.port, opening + longerThanSaid);
    expect(hasClosed).toBe(true);
    expect((await ask('/a')).body).toBe('hello');
  });
});

it('speaks HTTP/1 on the same port', async () => {
  const { responses } = await exchangeRaw(
    toy.port,
    [request('GET /a').slice(0, 3), request('GET /a').slice(3)],
    {
      quietMs: 200,
    },
  );
  expect(responses).toMatchObject([{ status: 200, body: 'hello' }]);
  const posted = await exchangeRaw(toy.port, request('PUT /echo', ['Content-Length: 5'], 'hello'), {
    quietMs: 200,
  });
  expect(posted.responses).toMatchObject([{ status: 200, body: 'hello' }]);
});

it('tells its clients to leave when it stops accepting, and answers what they have asked for', async () => {
  const leaving = await startToyListener(
    'fast',
    { '/slow': (exchange) => void setTimeout(() => exchange.send(200, [], 'slow'), 50) },
    { speaksHttp2: true },
  );
  const client = connect(`http://127.0.0.1:${leaving.port}`);
  const answer = collect(client.request({ ':path': '/slow' }));
  const left = new Promise((resolve) => client.once('close', resolve));
  await until('the request has arrived', () => leaving.served.length === 1);
  leaving.stopAccepting();
  expect((await answer).body).toBe('slow');
  await left;
});
