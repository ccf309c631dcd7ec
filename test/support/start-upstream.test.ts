import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRaw, headerOf, parseResponses } from './raw-http.ts';
import { startUpstream, type Upstream } from './start-upstream.ts';

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.stop());

async function get(path: string) {
  const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\n\r\n`;
  const { responses, hasClosed } = await exchangeRaw(upstream.port, request);
  const [response] = responses;
  if (response === undefined) throw new Error('no response');
  return { ...response, response, hasClosed };
}

describe('the test upstream', () => {
  it('echoes method, target and header lines as received', async () => {
    const { status, body } = await get('/a/../b?x=%2F');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      method: 'GET',
      url: '/a/../b?x=%2F',
      headers: [
        ['Host', 'a'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
        ['Connection', 'close'],
      ],
    });
  });

  it('echoes a body, and counts requests and connections', async () => {
    const before = [upstream.requestCount, upstream.connectionCount];
    await fetch(upstream.url, { method: 'POST', body: 'hello' });
    expect(upstream.lastRequest?.body).toBe('hello');
    expect(upstream.requestCount).toBe((before[0] ?? 0) + 1);
    expect(upstream.connectionCount).toBe((before[1] ?? 0) + 1);
  });

  it('answers its special paths', async () => {
    expect((await get('/status/418')).status).toBe(418);
    expect((await get('/status/204')).body).toBe('');
    expect(JSON.parse((await get('/delay/1')).body)).toMatchObject({ url: '/delay/1' });
    expect((await get('/stream/3')).body).toBe('chunk 1\nchunk 2\nchunk 3\n');
    expect((await get('/bytes/1000')).body).toHaveLength(1000);
    expect((await get('/sse')).body).toBe('data: one\n\ndata: two\n\ndata: three\n\n');
    expect(await get('/close')).toMatchObject({ body: 'xxxxxxxxxx', isComplete: false, hasClosed: true });
    const { response } = await get('/headers?X-A=1&X-A=2&Server=mine');
    expect(response.headers.filter(([name]) => name === 'x-a')).toHaveLength(2);
    expect(headerOf(response, 'server')).toBe('mine');
  });
});

it('reads several responses, interim ones and answers to HEAD included', () => {
  const bytes = [
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
  ].join('');
  const responses = parseResponses(bytes, ['HEAD', 'GET', 'GET']);
  expect(responses.map(({ status, body, isComplete }) => [status, body, isComplete])).toEqual([
    [100, '', true],
    [200, '', true],
    [200, 'abc', true],
    [404, 'no', true],
  ]);
});
