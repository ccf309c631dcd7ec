/** Where the requests for an upstream go: contract/proxy.md sections 4, 7.2 and 8. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClosedPort } from '../../contract/upstream/raw-upstream.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { countAnswers, exposeUpstream, type NamedServers, startServers } from './named-servers.ts';

let proxy: ProxyUnderTest;
let three: NamedServers;
beforeAll(async () => {
  [proxy, three] = await Promise.all([startProxy(), startServers(3)]);
});
afterAll(() => Promise.all([proxy.stop(), three.stop()]));

const [ONE, TWO, THREE] = [0, 1, 2] as const;
const target = (number: number) => three.targets[number] ?? '';

describe('an upstream', () => {
  it('shares its requests out by weight, and sends none to a weight of 0', async () => {
    const weighed = [
      { target: target(ONE), weight: 10 },
      { target: target(TWO), weight: 30 },
      { target: target(THREE), weight: 0 },
    ];
    const { host } = await exposeUpstream(proxy, weighed);
    expect(await countAnswers(40, () => proxy.send(host))).toEqual({ 0: 10, 1: 30 });
  });

  it('shares them out over all workers together', async () => {
    const many = await startProxy({ TOLLGATE_WORKERS: '3' });
    const { host } = await exposeUpstream(many, three.targets);
    // Each request comes by a connection of its own, and so to any of the workers.
    expect(await countAnswers(30, () => many.send(host))).toEqual({ 0: 10, 1: 10, 2: 10 });
    await many.stop();
  });

  it('has its targets changed from one request to the next', async () => {
    const { name, host } = await exposeUpstream(proxy, [target(ONE)]);
    expect((await proxy.send(host)).text).toBe('0');
    await proxy.write('POST', `/upstreams/${name}/targets`, { target: target(TWO) });
    await proxy.write('PATCH', `/upstreams/${name}/targets/${target(ONE)}`, { weight: 0 });
    expect(await countAnswers(4, () => proxy.send(host))).toEqual({ 1: 4 });
    await proxy.write('DELETE', `/upstreams/${name}/targets/${target(TWO)}`);
    expect((await proxy.send(host)).status).toBe(503);
    await proxy.write('PUT', `/upstreams/${name}/targets/${target(ONE)}`, { weight: 1 });
    expect((await proxy.send(host)).text).toBe('0');
  });

  it('without targets answers 503 with the headers of an answer of the gateway', async () => {
    const { host } = await exposeUpstream(proxy, []);
    const answer = await proxy.send(host);
    expect([answer.status, answer.json<{ message: string }>().message]).toEqual([
      503,
      'failure to get a peer from the ring-balancer',
    ]);
    expect(answer.header('x-kong-response-latency')).toMatch(/^\d+$/);
    expect([answer.header('via'), answer.header('x-kong-upstream-latency')]).toEqual([undefined, undefined]);
  });

  it('is what a service calls by its host from the moment it is made, and no longer when it is gone', async () => {
    const { host } = await proxy.expose({ host: 'late.test', port: proxy.upstream.port });
    expect((await proxy.send(host)).status).toBe(503);
    await proxy.write('POST', '/upstreams', { name: 'late.test' });
    await proxy.write('POST', '/upstreams/late.test/targets', { target: target(TWO) });
    expect((await proxy.send(host)).text).toBe('1');
    await proxy.write('PATCH', '/upstreams/late.test', { name: 'renamed.test' });
    expect((await proxy.send(host)).json()).toMatchObject({ message: 'name resolution failed' });
    await proxy.write('DELETE', '/upstreams/renamed.test');
    expect((await proxy.send(host)).status).toBe(503);
  });

  it('sends the Host of the target, of its own if it has one, or of the client', async () => {
    const echo = `127.0.0.1:${proxy.upstream.port}`;
    const plain = await exposeUpstream(proxy, [echo]);
    expect(linesOf(await proxy.echo(plain.host), 'host')).toEqual([echo]);
    const named = await exposeUpstream(proxy, [echo], { host_header: 'shop.test' });
    expect(linesOf(await proxy.echo(named.host), 'host')).toEqual([`shop.test:${proxy.upstream.port}`]);
    const kept = await exposeUpstream(
      proxy,
      [echo],
      { host_header: 'shop.test' },
      {},
      { preserve_host: true },
    );
    expect(linesOf(await proxy.echo(kept.host), 'host')).toEqual([kept.host]);
  });

  it('speaks TLS to targets of an https service, under the name that it sends', async () => {
    const names: unknown[] = [];
    const read = (name: string) =>
      readFileSync(new URL(`../../contract/upstream/certificates/${name}`, import.meta.url), 'utf8');
    const server = createServer(
      { cert: read('upstream.pem'), key: read('upstream-key.pem') },
      (request, response) => {
        names.push((request.socket as TLSSocket & { readonly servername: unknown }).servername);
        response.end(request.headers.host);
      },
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const upstream = { host_header: 'upstream.test' };
    const { host } = await exposeUpstream(proxy, [`127.0.0.1:${port}`], upstream, { protocol: 'https' });
    expect((await proxy.send(host)).text).toBe(`upstream.test:${port}`);
    expect(names).toEqual(['upstream.test']);
    server.close();
  });

  it('sends a retry to another target, with the Host of that one', async () => {
    const down = `127.0.0.1:${await findClosedPort()}`;
    const echo = `127.0.0.1:${proxy.upstream.port}`;
    const { host } = await exposeUpstream(proxy, [down, echo], {}, { retries: 1 });
    for (let request = 0; request < 6; request++) {
      const body = request % 2 === 0 ? {} : { method: 'POST', body: 'once' };
      expect(linesOf(await proxy.echo(host, '/', body), 'host')).toEqual([echo]);
    }
    const hopeless = await exposeUpstream(proxy, [down], {}, { retries: 2 });
    const answer = await proxy.send(hopeless.host);
    expect([answer.status, answer.header('via')]).toEqual([502, expect.stringContaining('tollgate')]);
  });

  it('never repeats what a target may have taken', async () => {
    let received = 0;
    const closing = await startServers(2, () => (request) => {
      received++;
      request.socket.destroy();
    });
    const { host } = await exposeUpstream(proxy, closing.targets, {}, { retries: 5 });
    expect((await proxy.send(host, '/', { method: 'POST', body: 'once' })).status).toBe(502);
    expect(received).toBe(1);
    expect((await proxy.send(host)).status).toBe(502);
    expect(received).toBe(7);
    await closing.stop();
  });
});

describe('least-connections', () => {
  it('keeps away from a target that is busy', async () => {
    const held: (() => void)[] = [];
    const servers = await startServers(2, (number) => (request, response) => {
      if (number === 0 && request.url === '/hold') held.push(() => response.end('held'));
      else response.end(String(number));
    });
    const { host } = await exposeUpstream(proxy, servers.targets, { algorithm: 'least-connections' });
    const holding = [proxy.send(host, '/hold'), proxy.send(host, '/hold')];
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await countAnswers(8, () => proxy.send(host))).toEqual({ 1: 8 });
    for (const release of held) release();
    await Promise.all(holding);
    await servers.stop();
  });
});

describe('latency', () => {
  it('comes to prefer the target that answers sooner', async () => {
    const servers = await startServers(2, (number) => (_request, response) => {
      setTimeout(() => response.end(String(number)), number === 0 ? 300 : 0);
    });
    const { host } = await exposeUpstream(proxy, servers.targets, { algorithm: 'latency' });
    await countAnswers(6, () => proxy.send(host));
    const { 1: fast = 0 } = await countAnswers(20, () => proxy.send(host));
    expect(fast).toBeGreaterThanOrEqual(15);
    await servers.stop();
  });
});

describe('consistent-hashing', () => {
  const expose = (upstream: Record<string, unknown>, route: Record<string, unknown> = {}) =>
    exposeUpstream(proxy, three.targets, { algorithm: 'consistent-hashing', ...upstream }, {}, route);
  /** How many targets answer 40 requests that differ as the test says; the same twice. */
  const answers = async (send: (at: number) => Promise<{ readonly text: string }>) => {
    const rounds: string[][] = [[], []];
    for (const round of rounds) for (let at = 0; at < 40; at++) round.push((await send(at)).text);
    expect(rounds[0]).toEqual(rounds[1]);
    return new Set(rounds[0]).size;
  };

  it('by header sends the same value to the same target, and different ones to several', async () => {
    const { host } = await expose({ hash_on: 'header', hash_on_header: 'X-Tenant' });
    expect(await answers((at) => proxy.send(host, '/', { headers: { 'x-tenant': `t${at}` } }))).toBe(3);
    const several = ['a', 'b'];
    expect(await answers(() => proxy.send(host, '/', { headers: { 'x-tenant': several } }))).toBe(1);
  });

  it('without the input sends all to one target, or falls back', async () => {
    const missing = await expose({ hash_on: 'header', hash_on_header: 'x-tenant' });
    expect(await answers((at) => proxy.send(missing.host, `/${at}`))).toBe(1);
    const fallback = { hash_fallback: 'query_arg', hash_fallback_query_arg: 'q' };
    const { host } = await expose({ hash_on: 'header', hash_on_header: 'x-tenant', ...fallback });
    expect(await answers((at) => proxy.send(host, `/?q=${at}`))).toBe(3);
  });

  it('by path looks at the path alone, as it is routed', async () => {
    const { host } = await expose({ hash_on: 'path' });
    expect(await answers((at) => proxy.send(host, `/p/${at}?x=${Math.random()}`))).toBe(3);
    expect((await proxy.send(host, '/p/x/../1')).text).toBe((await proxy.send(host, '/p/1')).text);
  });

  it('by argument takes several values in any order for the same', async () => {
    const { host } = await expose({ hash_on: 'query_arg', hash_on_query_arg: 'q' });
    expect(await answers((at) => proxy.send(host, `/?q=${at}&q=x`))).toBe(3);
    expect((await proxy.send(host, '/?q=x&q=5')).text).toBe((await proxy.send(host, '/?q=5&q=x')).text);
    expect((await proxy.send(host, '/?q')).text).toBe((await proxy.send(host, '/?q=true')).text);
  });

  it('by what the pattern of a route has captured', async () => {
    const paths = { paths: ['~/users/(?<user>[^/]+)'] };
    for (const capture of ['user', '1']) {
      const { host } = await expose({ hash_on: 'uri_capture', hash_on_uri_capture: capture }, paths);
      expect(await answers((at) => proxy.send(host, `/users/u${at}/${Math.random()}`))).toBe(3);
    }
  });

  it('by address sends a client to one target', async () => {
    const { host } = await expose({ hash_on: 'ip' });
    expect(await answers((at) => proxy.send(host, `/${at}`))).toBe(1);
  });

  it('by consumer sends each to a target of its own', async () => {
    const { host } = await expose({ hash_on: 'consumer' });
    const { data } = await proxy.write('GET', '/routes?size=1000');
    const route = data.find(({ hosts }: { hosts: string[] }) => hosts.includes(host));
    await proxy.write('POST', `/routes/${route.id}/plugins`, { name: 'key-auth' });
    for (let at = 0; at < 12; at++) {
      await proxy.write('POST', '/consumers', { username: `hashed-${at}` });
      await proxy.write('POST', `/consumers/hashed-${at}/key-auth`, { key: `hash-key-${at}` });
    }
    const keyOf = (at: number) => ({ headers: { apikey: `hash-key-${at % 12}` } });
    expect(await answers((at) => proxy.send(host, '/', keyOf(at)))).toBeGreaterThan(1);
  });

  it('by cookie gives a client one, which brings it back', async () => {
    const cookie = { hash_on: 'cookie', hash_on_cookie: 'sticky', hash_on_cookie_path: '/shop' };
    const { host } = await expose(cookie);
    const first = await proxy.send(host);
    const set = first.header('set-cookie') ?? '';
    expect(set).toMatch(/^sticky=[0-9a-f-]{36}; Path=\/shop; Same-Site=Lax; HttpOnly$/);
    const sent = { headers: { Cookie: `a=b; ${set.split(';')[0]}` } };
    for (let at = 0; at < 5; at++) {
      const again = await proxy.send(host, '/', sent);
      expect([again.text, again.header('set-cookie')]).toEqual([first.text, undefined]);
    }
    const others = await countAnswers(40, () => proxy.send(host));
    expect(Object.keys(others)).toHaveLength(3);
  });
});
