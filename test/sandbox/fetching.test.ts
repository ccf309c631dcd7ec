/** The door to other servers as a plugin of somebody else's finds it: an isolate, its host, real servers on loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetcher } from '../../core/egress/fetcher.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest;
let server: Server;
/** Another origin, which nobody lists. */
let foreign: Server;
let origin: string;
let foreignRequests = 0;
const held: ServerResponse[] = [];

beforeAll(async () => {
  server = await listen(answer);
  foreign = await listen((_, response) => {
    foreignRequests++;
    response.end('secret');
  });
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  const fetch = createFetcher();
  const known = new WeakMap<readonly string[], readonly string[]>();
  lane = await startLane(
    'fetching',
    { phaseDeadlineMs: 20_000 },
    {
      fetch: (argument, listed) => {
        const egress = known.get(listed) ?? listed.map((entry) => entry.replace('4711', String(port)));
        known.set(listed, egress);
        return fetch(argument, egress);
      },
    },
  );
});
afterAll(() => {
  lane?.end();
  for (const each of [server, foreign]) {
    each?.close();
    each?.closeAllConnections();
  }
});

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const listening = createServer(handle).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return listening;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  switch (pathname) {
    case '/echo': {
      const body = Buffer.concat(await request.toArray()).toString();
      const { authorization, cookie } = request.headers;
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ method: request.method, body, authorization, cookie }));
      return;
    }
    case '/redirect':
      response.writeHead(Number(searchParams.get('status') ?? 302), {
        Location: searchParams.get('to') ?? '',
      });
      response.end();
      return;
    case '/large':
      response.end(Buffer.alloc(1024 * 1024 + 1, 'x'));
      return;
    case '/bomb':
      response.setHeader('Content-Encoding', 'gzip');
      response.end(gzipSync(Buffer.alloc(8 * 1024 * 1024)));
      return;
    case '/bytes':
      response.end(Buffer.from([0, 0xff, 0xfe, 0x80]));
      return;
    case '/hang':
      held.push(response);
      return;
    case '/cut':
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('x');
      setTimeout(() => response.destroy(), 20);
      return;
    default:
      response.writeHead(404).end('nothing here');
  }
}

interface Fetched {
  readonly status: number;
  readonly ok: boolean;
  readonly from: string;
  readonly cookies: readonly string[];
  readonly type: string | null;
  readonly text: string;
  readonly bytes: number;
}

/** What the plugin got, or the message of its error. */
async function fetchIn(url: string, options?: unknown, times?: number): Promise<Fetched | string> {
  const result = await lane.run(JSON.stringify({ url, options, times }));
  if ('failure' in result) return result.failure;
  const { outcome } = result;
  return outcome.failure?.message ?? (JSON.parse(outcome.body) as Fetched);
}

describe('a plugin that lists whom it asks', () => {
  it('gets the answer, whatever its status', async () => {
    expect(await fetchIn(`${origin}/echo`)).toMatchObject({
      status: 200,
      ok: true,
      type: 'application/json',
      cookies: ['a=1', 'b=2'],
      text: '{"method":"GET","body":""}',
    });
    expect(await fetchIn(`${origin}/none`)).toMatchObject({ status: 404, ok: false, text: 'nothing here' });
    expect(await fetchIn(`${origin}/bytes`)).toMatchObject({ bytes: 4 });
  });

  it('sends text as UTF-8', async () => {
    const sent = await fetchIn(`${origin}/echo`, { body: 'žluť ☃', headers: { authorization: 'Bearer x' } });
    expect(JSON.parse((sent as Fetched).text)).toEqual({
      method: 'POST',
      body: 'žluť ☃',
      authorization: 'Bearer x',
    });
  });

  it('follows redirects, or not when it says so', async () => {
    const url = `${origin}/redirect?to=/echo`;
    const options = { body: 'b', headers: { cookie: 'c=1' } };
    const followed = (await fetchIn(url, options)) as Fetched;
    expect(followed.from).toBe(`${origin}/echo`);
    expect(JSON.parse(followed.text)).toEqual({ method: 'GET', body: '', cookie: 'c=1' });
    const kept = (await fetchIn(`${origin}/redirect?status=307&to=/echo`, options)) as Fetched;
    expect(JSON.parse(kept.text)).toEqual({ method: 'POST', body: 'b', cookie: 'c=1' });
    expect(await fetchIn(url, { redirect: 'manual' })).toMatchObject({ status: 302 });
    const loop = `${origin}/redirect?to=${encodeURIComponent(`${origin}/redirect?to=/redirect`)}`;
    expect(await fetchIn(loop)).toMatch(/^url is no|^more than|^cannot/);
  });

  it('may do so while it logs', async () => {
    lane.log(JSON.stringify({ url: `${origin}/none` }));
    await pollUntil(
      'lines of the log',
      () => lane.logLines.map(({ message }) => message),
      (lines) => lines.includes('fetched 404'),
    );
  });
});

describe('a plugin that asks somebody else', () => {
  const foreignOrigin = () => `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;

  it('is refused, by a redirect too, and nothing is sent', async () => {
    const refusal = `the manifest does not list the origin '${foreignOrigin()}'`;
    expect(await fetchIn(`${foreignOrigin()}/`)).toBe(refusal);
    expect(await fetchIn(`${origin}/redirect?to=${encodeURIComponent(foreignOrigin())}`)).toBe(refusal);
    expect(foreignRequests).toBe(0);
  });

  it.each([
    ['ftp://127.0.0.1/', 'url is no http or https URL'],
    ['file:///etc/passwd', 'url is no http or https URL'],
    ['/relative', 'url is no http or https URL'],
    ['http://user:secret@127.0.0.1/', 'url must not hold a user or password'],
    ['http://169.254.169.254/latest', "the manifest does not list the origin 'http://169.254.169.254'"],
  ])('is refused %s', async (url, message) => {
    expect(await fetchIn(url)).toBe(message);
  });

  it.each([
    [{ method: 'CONNECT' }, 'method must be among GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
    [{ headers: { Host: 'a' } }, "the header 'Host' cannot be set"],
    [{ headers: { 'Transfer-Encoding': 'chunked' } }, "the header 'Transfer-Encoding' cannot be set"],
    [{ headers: { 'a\r\nb': 'a' } }, 'a header has no valid name'],
    [{ headers: { a: 'a\r\nb: c' } }, "the header 'a' has no valid value"],
    [{ headers: { a: { toString: 1 } } }, "the header 'a' has no valid value"],
    [{ timeoutMs: 1e9 }, 'timeoutMs must be a whole number up to 30000'],
  ])('is refused the options %j', async (options, message) => {
    expect(await fetchIn(`${origin}/echo`, options)).toBe(message);
  });
});

describe('a server that is not as it should be', () => {
  it('has a name that stands for a private address: that has to be listed too', async () => {
    const { port } = server.address() as AddressInfo;
    const url = `http://localhost:${port}/none`;
    const argument = {
      url,
      method: 'GET',
      headers: [],
      body: null,
      timeoutMs: 5000,
      followsRedirects: true,
    } as const;
    const fetch = createFetcher();
    await expect(fetch(argument, [`http://localhost:${port}`])).rejects.toThrow(
      "cannot be fetched: 'localhost' stands for a private address",
    );
    const reply = await fetch(argument, [`http://localhost:${port}`, '127.0.0.0/8']);
    expect(reply.status).toBe(404);
  });

  it.each([
    ['/hang', { timeoutMs: 50 }, 'no answer within 50 ms'],
    ['/large', {}, 'the answer is longer than 1048576 bytes'],
    ['/bomb', {}, 'the answer is longer than 1048576 bytes'],
  ])('costs its asker no more than it may: %s', async (path, options, message) => {
    expect(await fetchIn(origin + path, options)).toBe(message);
  });

  it('may hang up in the middle', async () => {
    expect(await fetchIn(`${origin}/cut`)).toMatch(/^cannot be fetched: /);
  });

  it('is not asked more than 64 times at once', async () => {
    expect(await fetchIn(`${origin}/hang`, { timeoutMs: 200 }, 65)).toBe('too many requests under way');
    await pollUntil(
      'the outcome of one more',
      async () => verdictOf(await lane.run(JSON.stringify({ url: `${origin}/none` }))),
      (verdict) => verdict === 'exit',
    );
  });
});
