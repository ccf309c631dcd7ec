/** Which route a request takes: contract/proxy.md section 2, flavour `traditional`. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions } from './support/send-request.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
const routeIds: string[] = [];
beforeAll(async () => {
  proxy = await startProxy();
});
afterEach(async () => {
  for (const id of routeIds.splice(0)) await proxy.write('DELETE', `/routes/${id}`);
});
afterAll(() => proxy.stop());

/** Routes by name, in order of creation; each leads to a service that adds its name in front of the path. */
async function define(routes: Readonly<Record<string, Record<string, unknown>>>): Promise<void> {
  for (const [name, route] of Object.entries(routes)) {
    const { routeId } = await proxy.expose(
      { path: `/${name}` },
      { hosts: null, strip_path: false, ...route },
    );
    routeIds.push(routeId);
  }
}

/** Name of the route taken, or the status of the refusal. */
async function take(host: string, path = '/', options: RequestOptions = {}): Promise<string | number> {
  const answer = await proxy.send(host, path, options);
  return answer.status === 200 ? (answer.json<{ url: string }>().url.split('/')[1] ?? '') : answer.status;
}

describe('hosts', () => {
  it('match exactly, whatever port the client wrote', async () => {
    await define({ exact: { hosts: ['a.test'] } });
    expect(await take('a.test')).toBe('exact');
    expect(await take('a.test:81')).toBe('exact');
    expect(await take('b.a.test')).toBe(404);
  });

  it('match any number of labels in the place of a wildcard, but not none', async () => {
    await define({ first: { hosts: ['*.b.test'] }, last: { hosts: ['c.test.*'] } });
    expect(await take('x.b.test')).toBe('first');
    expect(await take('x.y.b.test')).toBe('first');
    expect(await take('b.test')).toBe(404);
    expect(await take('c.test.x')).toBe('last');
    expect(await take('c.test.x.y')).toBe('last');
  });

  it('with a port need that port, which is 80 where the client wrote none', async () => {
    await define({ eight: { hosts: ['d.test:8888'] }, usual: { hosts: ['e.test:80'] } });
    expect(await take('d.test:8888')).toBe('eight');
    expect(await take('d.test')).toBe(404);
    expect(await take('e.test')).toBe('usual');
  });

  it('prefer an exact name to a wildcard', async () => {
    await define({ wild: { hosts: ['*.f.test'] }, exact: { hosts: ['x.f.test'] } });
    expect(await take('x.f.test')).toBe('exact');
    expect(await take('y.f.test')).toBe('wild');
  });
});

describe('paths', () => {
  it('match as a prefix that need not end at a segment', async () => {
    await define({ foo: { paths: ['/foo'] } });
    for (const path of ['/foo', '/foo/', '/foobar', '/foo?q=/x'])
      expect(await take('h.test', path)).toBe('foo');
    for (const path of ['/Foo', '/fo', '/x/foo']) expect(await take('h.test', path)).toBe(404);
  });

  it('are compared with the normalised path', async () => {
    await define({ plain: { paths: ['/a/b'] }, encoded: { paths: ['/c%2Fd'] }, text: { paths: ['/é'] } });
    for (const path of ['/a//b', '//a/b', '/x/../a/./b', '/%61/b', '/a/x/%2e%2e/b', '/a/b?/../..']) {
      expect(await take('h.test', path)).toBe('plain');
    }
    expect(await take('h.test', '/a%2Fb')).toBe(404);
    expect(await take('h.test', '/c%2fd')).toBe('encoded');
    expect(await take('h.test', '/c/d')).toBe(404);
    expect(await take('h.test', '/%c3%A9')).toBe('text');
  });

  it('prefer the longer prefix, whichever was made first', async () => {
    await define({ short: { paths: ['/p'] }, long: { paths: ['/p/q'] }, all: { paths: ['/'] } });
    expect(await take('h.test', '/p/q/r')).toBe('long');
    expect(await take('h.test', '/p/x')).toBe('short');
    expect(await take('h.test', '/x')).toBe('all');
  });

  it('match a regex from the start, case-sensitive and not to the end', async () => {
    await define({ digits: { paths: ['~/item/(?<id>\\d+)'] } });
    expect(await take('h.test', '/item/12/more')).toBe('digits');
    expect(await take('h.test', '/x/item/12')).toBe(404);
    expect(await take('h.test', '/ITEM/12')).toBe(404);
    expect(await take('h.test', '/item/x')).toBe(404);
  });

  it('prefer a regex to a prefix, and the higher regex_priority', async () => {
    await define({
      prefix: { paths: ['/r/exactly'] },
      low: { paths: ['~/r/.*'], regex_priority: 1 },
      high: { paths: ['~/r/e.*'], regex_priority: 5 },
    });
    expect(await take('h.test', '/r/exactly')).toBe('high');
    expect(await take('h.test', '/r/x')).toBe('low');
  });

  it('match any entry of the list', async () => {
    await define({ both: { paths: ['/one', '~/t[w]o'] } });
    expect(await take('h.test', '/one')).toBe('both');
    expect(await take('h.test', '/two')).toBe('both');
  });

  it('answer 404 for a path that is not text', async () => {
    await define({ all: { paths: ['/'] } });
    expect(await take('h.test', '/%ff')).toBe(404);
  });
});

describe('methods and headers', () => {
  it('match a method of the list, unknown ones included', async () => {
    await define({ reads: { methods: ['GET', 'PURGE'] }, writes: { methods: ['POST'] } });
    expect(await take('h.test')).toBe('reads');
    expect(await take('h.test', '/', { method: 'PURGE' })).toBe('reads');
    expect(await take('h.test', '/', { method: 'POST', body: 'x' })).toBe('writes');
    expect(await take('h.test', '/', { method: 'DELETE' })).toBe(404);
  });

  it('match a header by name and value without regard to case, and any of its lines', async () => {
    await define({ v2: { headers: { 'X-Version': ['two', '2'] } } });
    expect(await take('h.test', '/', { headers: { 'x-version': 'TWO' } })).toBe('v2');
    expect(await take('h.test', '/', { headers: { 'X-Version': ['1', '2'] } })).toBe('v2');
    expect(await take('h.test', '/', { headers: { 'X-Version': '3' } })).toBe(404);
    expect(await take('h.test')).toBe(404);
  });

  it('want all named headers, and take a sole value that begins with ~* as a regex', async () => {
    await define({
      both: { headers: { 'X-A': ['1'], 'X-B': ['1'] } },
      regex: { headers: { 'X-C': ['~*^v[0-9]+$'] } },
    });
    expect(await take('h.test', '/', { headers: { 'X-A': '1' } })).toBe(404);
    expect(await take('h.test', '/', { headers: { 'X-A': '1', 'X-B': '1' } })).toBe('both');
    expect(await take('h.test', '/', { headers: { 'X-C': 'V17' } })).toBe('regex');
    expect(await take('h.test', '/', { headers: { 'X-C': 'w17' } })).toBe(404);
  });
});

describe('among several routes that match', () => {
  it('takes the one with more attributes, however short its path', async () => {
    await define({ long: { paths: ['/very/long/path'] }, two: { paths: ['/'], methods: ['GET'] } });
    expect(await take('h.test', '/very/long/path')).toBe('two');
    expect(await take('h.test', '/very/long/path', { method: 'PUT' })).toBe('long');
  });

  it('counts hosts above headers, headers above paths, paths above methods', async () => {
    await define({
      method: { methods: ['GET'] },
      path: { paths: ['/x'] },
      header: { headers: { 'X-K': ['1'] } },
      host: { hosts: ['rank.test'] },
    });
    const headers = { 'X-K': '1' };
    expect(await take('rank.test', '/x', { headers })).toBe('host');
    expect(await take('h.test', '/x', { headers })).toBe('header');
    expect(await take('h.test', '/x')).toBe('path');
    expect(await take('h.test', '/')).toBe('method');
  });

  it('takes the one with more header names', async () => {
    await define({ one: { headers: { 'X-A': ['1'] } }, two: { headers: { 'X-A': ['1'], 'X-B': ['1'] } } });
    expect(await take('h.test', '/', { headers: { 'X-A': '1', 'X-B': '1' } })).toBe('two');
    expect(await take('h.test', '/', { headers: { 'X-A': '1' } })).toBe('one');
  });

  it('falls through to fewer attributes where the more demanding route does not match', async () => {
    await define({ strict: { hosts: ['g.test'], paths: ['/only'] }, loose: { hosts: ['g.test'] } });
    expect(await take('g.test', '/only')).toBe('strict');
    expect(await take('g.test', '/other')).toBe('loose');
  });

  it('takes the older of two equals', async () => {
    await define({ older: { paths: ['/same'] } });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await define({ newer: { paths: ['/same'] } });
    expect(await take('h.test', '/same')).toBe('older');
  });
});

describe('protocols', () => {
  it('do not keep an http-only or a default route from plain requests', async () => {
    await define({ http: { paths: ['/http'], protocols: ['http'] }, usual: { paths: ['/usual'] } });
    expect(await take('h.test', '/http')).toBe('http');
    expect(await take('h.test', '/usual')).toBe('usual');
  });

  it('answer 426 on an https-only route, and say what to upgrade to', async () => {
    await define({ secure: { paths: ['/secure'], protocols: ['https'] } });
    const answer = await proxy.send('h.test', '/secure');
    expect(answer.status).toBe(426);
    expect(answer.header('upgrade')).toBe('TLS/1.2, HTTP/1.1');
    expect(answer.header('connection')?.toLowerCase()).toContain('upgrade');
    expect(answer.json()).toMatchObject({ message: 'Please use HTTPS protocol' });
    // The peer is not trusted: its word for the protocol does not count.
    expect(await take('h.test', '/secure', { headers: { 'X-Forwarded-Proto': 'https' } })).toBe(426);
  });

  it('let global plugins alone touch the answers at the gate', async () => {
    await define({ own: { paths: ['/own'], protocols: ['https'] } });
    const cors = { name: 'cors', config: { origins: ['http://page.test'] } };
    const headers = { Origin: 'http://page.test' };
    const own = await proxy.write('POST', `/routes/${routeIds[0]}/plugins`, cors);
    const allowed = async () =>
      (await proxy.send('h.test', '/own', { headers })).header('access-control-allow-origin');
    expect(await allowed()).toBeUndefined();
    const global = await proxy.write('POST', '/plugins', cors);
    expect(await allowed()).toBe('http://page.test');
    for (const { id } of [own, global]) await proxy.write('DELETE', `/plugins/${id}`);
  });

  it.each([301, 302, 307, 308])('redirect with %i where the route says so', async (status) => {
    await define({ moved: { paths: ['/moved'], protocols: ['https'], https_redirect_status_code: status } });
    const answer = await proxy.send('Moved.test:8000', '/moved/./x?a=%20b');
    expect(answer.status).toBe(status);
    expect(answer.header('location')).toBe('https://moved.test/moved/./x?a=%20b');
  });

  it('answer 415 to what is not gRPC on a gRPC route', async () => {
    const service = { protocol: 'grpc' };
    const { host } = await proxy.expose(service, { protocols: ['grpc'], strip_path: false });
    const answer = await proxy.send(host);
    expect(answer.status).toBe(415);
    expect(answer.json()).toMatchObject({ message: 'Non-gRPC request matched gRPC route' });
    const grpc = await proxy.send(host, '/', { headers: { 'Content-Type': 'application/grpc' } });
    expect(grpc.status).toBe(426);
    expect(grpc.header('upgrade')).toBe('HTTP/2');
  });
});

describe('a pattern of an operator', () => {
  const endless = `/${'a'.repeat(7000)}!`;

  it('that would make a backtracking engine explode is matched at once, in paths and in headers', async () => {
    await define({
      nested: { paths: ['~/(a+)+$'] },
      overlapping: { paths: ['~/(?:a|aa)+b$'] },
      header: { headers: { 'X-A': ['~*^(a|a)*b$'] } },
      rest: { paths: ['/a'] },
    });
    expect(await take('h.test', endless)).toBe('rest');
    expect(await take('h.test', '/', { headers: { 'X-A': `${'a'.repeat(7000)}!` } })).toBe(404);
    expect(await take('h.test', '/aaab')).toBe('overlapping');
  });

  it.each([
    ['a look-ahead', { paths: ['~/(?=a)'] }],
    ['a back-reference', { paths: ['~/(a)\\1'] }],
    ['thousands of states', { paths: ['~/(?:a{0,200}a{0,200}a{0,200})*!'] }],
    ['nested repetitions', { paths: ['~/((a{16}){16}){16}'] }],
    ['a look-ahead in a header', { headers: { 'X-A': ['~*(?!a)b'] } }],
    ['thousands of states in a header', { headers: { 'X-A': ['~*(?:a{0,300}b{0,300})*!'] } }],
  ])('that could be expensive is refused when it is written: %s', async (_, route) => {
    const answer = await proxy.admin('POST', '/routes', route);
    expect([answer.status, answer.body.name]).toEqual([400, 'schema violation']);
    expect(JSON.stringify(answer.body.fields)).toContain('invalid regex: ');
  });

  it('is only text where it is a host', async () => {
    for (const hosts of [['(a+)+$'], ['~.*'], ['a.*.b*']]) {
      expect((await proxy.admin('POST', '/routes', { hosts })).status).toBe(400);
    }
  });
});

it('answers 404 without a match, as the gateway and not as a proxy', async () => {
  const answer = await proxy.send('nobody.test', '/x');
  expect(answer.status).toBe(404);
  expect(answer.json()).toEqual({
    message: 'no Route matched with those values',
    request_id: answer.header('x-kong-request-id'),
  });
  expect(answer.header('server')).toMatch(/^tollgate\//);
  expect(answer.header('x-kong-response-latency')).toMatch(/^\d+$/);
  expect(answer.header('via')).toBeUndefined();
});
