/** Connections of clients and to upstreams, and requests hidden in others: contract/proxy.md sections 6.5 and 7.3. */
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRaw, headerOf } from '../support/raw-http.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

/** The strict ingress can tell where chunks end, and keeps the connection. */
const isStrict = process.env['TEST_INGRESS'] === 'strict';
let proxy: ProxyUnderTest;
let host: string;
beforeAll(async () => {
  proxy = await startProxy();
  ({ host } = await proxy.expose());
});
afterAll(() => proxy.stop());

describe('keep-alive', () => {
  it('serves many requests over one connection of a client, and over one to the upstream', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await proxy.echo(host);
    const before = proxy.upstream.connectionCount;
    const sockets = new Set<unknown>();
    for (let round = 0; round < 20; round++) {
      const answer = await proxy.send(host, `/round/${round}`, { agent });
      expect(answer.json<{ url: string }>().url).toBe(`/round/${round}`);
      for (const list of Object.values(agent.freeSockets))
        for (const socket of list ?? []) sockets.add(socket);
    }
    expect(sockets.size).toBeLessThanOrEqual(1);
    expect(proxy.upstream.connectionCount).toBe(before);
    agent.destroy();
  });

  it('goes on after errors of routing and of the upstream', async () => {
    const text = 'GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n' as string;
    const { responses, hasClosed } = await exchangeRaw(proxy.port, text, { quietMs: 300 });
    expect([responses[0]?.status, hasClosed]).toEqual([404, false]);
  });

  it('ends where the client asks for it', async () => {
    const text = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const { responses, hasClosed } = await exchangeRaw(proxy.port, text);
    expect([responses[0]?.status, hasClosed]).toEqual([200, true]);
  });
});

describe('a request hidden behind another', () => {
  const hidden = () => `GET /hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

  /** Sends it all at once and in two packets; the upstream must not hear of the hidden request. */
  async function smuggle(text: string) {
    const seen: string[] = [];
    for (const parts of [[text], [text.slice(0, -20), text.slice(-20)]]) {
      const before = proxy.upstream.requestCount;
      const { responses } = await exchangeRaw(proxy.port, parts, { quietMs: 300 });
      const last = proxy.upstream.lastRequest?.url ?? '';
      if (proxy.upstream.requestCount > before && last.startsWith('/hidden')) seen.push(last);
      expect(responses.length).toBeLessThanOrEqual(1);
    }
    return seen;
  }

  it('in two lengths that differ is never read', async () => {
    for (const [first, second] of [
      ['0', String(hidden().length)],
      [String(hidden().length), '0'],
    ]) {
      const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${first}\r\nContent-Length: ${second}`;
      expect(await smuggle(`${head}\r\n\r\n${hidden()}`)).toEqual([]);
    }
  });

  it('in a list of lengths is never read', async () => {
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0, ${hidden().length}`;
    expect(await smuggle(`${head}\r\n\r\n${hidden()}`)).toEqual([]);
  });

  it.each([
    'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 4',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding:\x0bchunked',
    'Transfer-Encoding : chunked',
    'X: y\nTransfer-Encoding: chunked',
    ' Transfer-Encoding: chunked',
  ])('in a framing that can be read in two ways is never read: %j', async (framing) => {
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n`;
    expect(await smuggle(`${head}0\r\n\r\n${hidden()}`)).toEqual([]);
  });

  it.skipIf(isStrict)(
    'behind chunks is never read, since what follows a chunked body is doubtful',
    async () => {
      const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      expect(await smuggle(`${head}0\r\n\r\n${hidden()}`)).toEqual([]);
      expect(await smuggle(`${head}0\r\nX:${hidden()}`)).toEqual([]);
      expect(await smuggle(`${head}1;ext\r\na\r\n0\r\n\r\n${hidden()}`)).toEqual([]);
      expect(await smuggle(`${head}g\r\n${hidden()}\r\n0\r\n\r\n`)).toEqual([]);
    },
  );

  it('behind a refused one is never read', async () => {
    expect(await smuggle(`GET /%zz HTTP/1.1\r\nHost: ${host}\r\n\r\n${hidden()}`)).toEqual([]);
    expect(await smuggle(`GET / HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n${hidden()}`)).toEqual([]);
  });

  it('in the path or the query does not split the request line', async () => {
    const echo = await proxy.echo(host, '/a%0d%0aGET%20/hidden?b=%0d%0aX:1');
    expect(echo.url).toBe('/a%0D%0AGET%20/hidden?b=%0d%0aX:1');
  });
});

it.skipIf(isStrict)('says in an answer to a chunked upload that the connection ends', async () => {
  const text = `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
  const { responses, hasClosed } = await exchangeRaw(proxy.port, text);
  const [answer] = responses;
  expect([answer?.status, answer && headerOf(answer, 'connection'), hasClosed]).toEqual([200, 'close', true]);
});
