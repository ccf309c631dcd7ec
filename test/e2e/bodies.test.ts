/** Bodies in both directions: contract/proxy.md section 7.4. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRawUpstream } from '../contract/upstream/raw-upstream.ts';
import { exchangeRaw, headerOf } from '../support/raw-http.ts';
import { openAnswer } from './support/send-request.ts';
import { type ServedPort, serve } from './support/serve.ts';
import { linesOf, type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
let host: string;
beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
  ({ host } = await proxy.expose());
});
afterAll(() => proxy.stop());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** An upstream that answers with length and hash of what it got. */
function serveHashes(): Promise<ServedPort> {
  return serve(async (request, response) => {
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of request) {
      hash.update(chunk as Buffer);
      length += (chunk as Buffer).length;
    }
    const { 'content-length': declared, 'transfer-encoding': encoding } = request.headers;
    response.end(JSON.stringify({ length, hash: hash.digest('hex'), declared, encoding }));
  });
}

describe('an upload', () => {
  it('with a length arrives with that length', async () => {
    const echo = await proxy.echo(host, '/', { method: 'POST', body: 'hello' });
    expect(echo.body).toBe('hello');
    expect(linesOf(echo, 'content-length')).toEqual(['5']);
    expect(linesOf(echo, 'transfer-encoding')).toEqual([]);
  });

  it('in chunks arrives with a length, because the route buffers requests', async () => {
    const echo = await proxy.echo(host, '/', { method: 'POST', body: ['one ', 'two ', 'three'] });
    expect(echo.body).toBe('one two three');
    expect(linesOf(echo, 'content-length')).toEqual(['13']);
    expect(linesOf(echo, 'transfer-encoding')).toEqual([]);
  });

  it('in chunks stays in chunks, and is passed on as it comes, with request_buffering off', async () => {
    let arrived = '';
    const upstream = await serve(async (request, response) => {
      for await (const chunk of request) arrived += String(chunk);
      response.end(String(request.headers['transfer-encoding']));
    });
    const { host } = await proxy.expose({ port: upstream.port }, { request_buffering: false });
    const socket = connect(proxy.port, '127.0.0.1');
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (bytes) => {
        text += String(bytes);
        if (text.endsWith('0\r\n\r\n') || text.endsWith('chunked')) resolve(text);
      });
    });
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
    // The rest is sent only when the upstream has the beginning: nothing else would let it pass.
    while (arrived !== 'first') await new Promise((resolve) => setTimeout(resolve, 5));
    socket.write('4\r\nlast\r\n0\r\n\r\n');
    expect(await answered).toContain('chunked');
    expect(arrived).toBe('firstlast');
    socket.destroy();
    await upstream.stop();
  });

  it('without a body and without framing arrives like that', async () => {
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      const echo = await proxy.echo(host, '/', { method });
      expect([...linesOf(echo, 'content-length'), ...linesOf(echo, 'transfer-encoding')]).toEqual([]);
    }
  });

  it('of nothing keeps its Content-Length: 0', async () => {
    const echo = await proxy.echo(host, '/', { method: 'POST', body: '' });
    expect(linesOf(echo, 'content-length')).toEqual(['0']);
  });

  it.each([true, false])('of 5 MB arrives intact, buffered: %s', async (buffered) => {
    const upstream = await serveHashes();
    const { host } = await proxy.expose({ port: upstream.port }, { request_buffering: buffered });
    const body = randomBytes(5_000_000);
    const answer = await proxy.send(host, '/', { method: 'PUT', body });
    expect(answer.json()).toEqual({ length: body.length, hash: sha256(body), declared: '5000000' });
    await upstream.stop();
  });

  it('of 3 MB in chunks, more than is held in memory, arrives intact', async () => {
    const upstream = await serveHashes();
    const { host } = await proxy.expose({ port: upstream.port });
    const parts = Array.from({ length: 30 }, () => randomBytes(50_000).toString('hex'));
    const answer = await proxy.send(host, '/', { method: 'POST', body: parts });
    const whole = Buffer.from(parts.join(''));
    expect(answer.json()).toMatchObject({ length: whole.length, hash: sha256(whole) });
    await upstream.stop();
  });

  it('with Expect: 100-continue is asked for by the gateway, and the upstream hears nothing of it', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => {
      text += String(bytes);
    });
    const until = async (isThere: () => boolean) => {
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    socket.write(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
    );
    await until(() => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    socket.write('ok');
    await until(() => text.includes('"body":"ok"'));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
    expect(text.toLowerCase()).not.toContain('"expect"');
    socket.destroy();
  });
});

describe('an answer', () => {
  it('of 20 MB arrives intact, with a length and in chunks, from many readers at once', async () => {
    const body = randomBytes(20_000_000);
    const upstream = await serve((request, response) => {
      if (request.url === '/measured') response.setHeader('Content-Length', body.length);
      response.end(body);
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const answers = await Promise.all(
      ['/measured', '/chunked', '/measured'].map((path) => proxy.send(host, path)),
    );
    for (const answer of answers) expect(sha256(answer.body)).toBe(sha256(body));
    expect(answers[0]?.header('content-length')).toBe('20000000');
    await upstream.stop();
  });

  it('is not read ahead without end for a client that does not read', async () => {
    let written = 0;
    const gone = new AbortController();
    const upstream = await serve(async (_, response) => {
      const part = Buffer.alloc(65_536);
      while (!response.destroyed && written < 200_000_000) {
        written += part.length;
        if (!response.write(part)) await once(response, 'drain', { signal: gone.signal }).catch(() => {});
      }
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const answer = await openAnswer(proxy.port, { headers: { Host: host } });
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(written).toBeLessThan(100_000_000);
    answer.destroy();
    gone.abort();
    await upstream.stop();
  });

  it('without a length is sent in chunks, also where the upstream ends it by closing', async () => {
    const streamed = await proxy.send(host, '/stream/3');
    expect(streamed.text).toBe('chunk 1\nchunk 2\nchunk 3\n');
    expect(streamed.header('transfer-encoding')).toBe('chunked');
    const upstream = await startRawUpstream((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'));
    const { host: closing } = await proxy.expose({ port: upstream.port });
    const closed = await proxy.send(closing);
    expect([closed.text, closed.header('transfer-encoding')]).toEqual(['to the end', 'chunked']);
    await upstream.stop();
  });

  it('to HEAD has no body and keeps its length', async () => {
    const head = await proxy.send(host, '/bytes/1234', { method: 'HEAD' });
    expect([head.status, head.body.length, head.header('content-length')]).toEqual([200, 0, '1234']);
    expect(proxy.upstream.lastRequest?.method).toBe('HEAD');
  });

  it.each([204, 304])('%i has no body, and the connection goes on', async (status) => {
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { responses } = await exchangeRaw(proxy.port, [request(`/status/${status}`)], { quietMs: 300 });
    expect(responses).toMatchObject([{ status, body: '' }]);
    const [first] = responses;
    expect(first && headerOf(first, 'transfer-encoding')).toBeUndefined();
  });

  it('of events arrives event by event, each when it is sent', async () => {
    let send: (text: string) => void = () => {};
    const upstream = await serve((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      send = (text) => response.write(`data: ${text}\n\n`);
      send('one');
    });
    const { host } = await proxy.expose({ port: upstream.port });
    const answer = await openAnswer(proxy.port, { headers: { Host: host } });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    const reader = answer[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe('data: one\n\n');
    for (const event of ['two', 'three']) {
      send(event);
      expect(String((await reader.next()).value)).toBe(`data: ${event}\n\n`);
    }
    answer.destroy();
    await upstream.stop();
  });

  it('before the end of the upload reaches the client', async () => {
    const upstream = await startRawUpstream((socket) =>
      socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'),
    );
    const { host } = await proxy.expose({ port: upstream.port }, { request_buffering: false });
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000\r\n\r\nbeginning`;
    const { responses } = await exchangeRaw(proxy.port, head, { quietMs: 500 });
    expect(responses).toMatchObject([{ status: 401, body: 'no' }]);
    await upstream.stop();
  });
});

describe('a client that goes away', () => {
  it('takes its request at the upstream with it, while waiting and while reading', async () => {
    let begun = 0;
    let ended = 0;
    const upstream = await serve((request, response) => {
      begun++;
      response.once('close', () => {
        ended++;
      });
      if (request.url === '/streaming') response.write('begun');
    });
    const { host } = await proxy.expose({ port: upstream.port });
    for (const path of ['/waiting', '/streaming']) {
      const socket = connect(proxy.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const expected = begun + 1;
      while (begun < expected) await new Promise((resolve) => setTimeout(resolve, 5));
      socket.destroy();
      while (ended < expected) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([begun, ended]).toEqual([2, 2]);
    await upstream.stop();
  });

  it('in the middle of its upload is not taken for a complete request', async () => {
    const before = proxy.upstream.lastRequest;
    const socket = connect(proxy.port, '127.0.0.1');
    socket.write(`POST /partial HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nhalf`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    expect((await proxy.send(host)).status).toBe(200);
    expect(proxy.upstream.lastRequest?.url).toBe('/');
    expect(before?.url).not.toBe('/partial');
  });
});
