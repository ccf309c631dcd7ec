/** Path and query at the upstream: contract/proxy.md section 3. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy.stop());

interface Row {
  readonly service: string;
  /** Null: the route has hosts only. */
  readonly route: string | null;
  readonly strip: readonly boolean[];
  /** Request path → path at the upstream, v0 and v1. */
  readonly paths: Readonly<Record<string, readonly [v0: string, v1: string]>>;
}

const ROWS: readonly Row[] = [
  {
    service: '/',
    route: '/route',
    strip: [true],
    paths: { '/route': ['/', '/'], '/route/': ['/', '/'], '/routereq': ['/req', '/req'] },
  },
  { service: '/', route: '/route', strip: [false], paths: { '/route/': ['/route/', '/route/'] } },
  { service: '/srv', route: '/rou', strip: [true], paths: { '/roureq': ['/srv/req', '/srvreq'] } },
  { service: '/srv', route: '/rou', strip: [false], paths: { '/roureq': ['/srv/roureq', '/srvroureq'] } },
  { service: '/srv/', route: '/rou', strip: [true], paths: { '/rou': ['/srv', '/srv/'] } },
  {
    service: '/service',
    route: '/',
    strip: [true, false],
    paths: { '/': ['/service', '/service'], '/route/': ['/service/route/', '/serviceroute/'] },
  },
  {
    service: '/service',
    route: '/route',
    strip: [true],
    paths: {
      '/route': ['/service', '/service'],
      '/route/': ['/service/', '/service/'],
      '/route./req': ['/service/req', '/servicereq'],
      '/route%2E/req': ['/service/req', '/servicereq'],
      '/route../req': ['/service/req', '/servicereq'],
    },
  },
  {
    service: '/service',
    route: '/route',
    strip: [false],
    paths: { '/route%2e%2E/req': ['/service/route../req', '/serviceroute../req'] },
  },
  {
    service: '/service',
    route: '/route/',
    strip: [true],
    paths: { '/route/': ['/service/', '/service'], '/route/req': ['/service/req', '/servicereq'] },
  },
  { service: '/service/', route: '/', strip: [true, false], paths: { '/': ['/service/', '/service/'] } },
  {
    service: '/service/',
    route: '/route',
    strip: [true],
    paths: { '/route': ['/service', '/service/'], '/route/': ['/service/', '/service/'] },
  },
  {
    service: '/service/',
    route: '/route',
    strip: [false],
    paths: { '/route/': ['/service/route/', '/service/route/'] },
  },
  {
    service: '/service',
    route: null,
    strip: [true, false],
    paths: { '/': ['/service', '/service'], '/route': ['/service/route', '/serviceroute'] },
  },
  { service: '/', route: '/a', strip: [true], paths: { '//a//b/../c//': ['/c/', '/c/'] } },
];

describe.each(ROWS)('service path $service, route path $route, strip_path $strip', (row) => {
  it.each(['v0', 'v1'] as const)('joins them as in the table of %s', async (handling) => {
    for (const strip of row.strip) {
      const { host } = await proxy.expose(
        { path: row.service },
        { paths: row.route === null ? null : [row.route], strip_path: strip, path_handling: handling },
      );
      for (const [path, [v0, v1]] of Object.entries(row.paths)) {
        const { url } = await proxy.echo(host, path);
        expect({ strip, path, url }).toEqual({ strip, path, url: handling === 'v0' ? v0 : v1 });
      }
    }
  });
});

it('strips what a regex has consumed', async () => {
  const { host } = await proxy.expose({ path: '/api' }, { paths: ['~/v\\d+/users'] });
  expect((await proxy.echo(host, '/v12/users/7')).url).toBe('/api/7');
  expect((await proxy.echo(host, '/v1/users')).url).toBe('/api');
});

describe('the characters of the path', () => {
  it.each([
    ['/a%20b', '/a%20b'],
    ['/%7euser', '/~user'],
    ['/%41%2fb', '/A%2Fb'],
    ['/%c3%a9', '/%C3%A9'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/%25%3f%23', '/%25%3F%23'],
    ['/%22%3c%3E%7B', '/%22%3C%3E%7B'],
  ])('are sent from %s as %s', async (path, expected) => {
    const { host } = await proxy.expose({}, { strip_path: false });
    expect((await proxy.echo(host, path)).url).toBe(expected);
  });
});

describe('the query', () => {
  it.each(['?', '?a=1&a=2', '?a=%2f%2F%zz+b', '?a?b=/../c', '?x=[1]|{2}'])(
    'is passed on byte for byte: %s',
    async (query) => {
      const { host } = await proxy.expose({ path: '/s' }, { paths: ['/q'] });
      expect((await proxy.echo(host, `/q${query}`)).url).toBe(`/s${query}`);
    },
  );
});
