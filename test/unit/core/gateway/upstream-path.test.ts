import { describe, expect, it } from 'vitest';
import { compileUpstreamPath, encodePath } from '../../../../core/gateway/upstream-path.ts';
import { normalizePath } from '../../../../core/router/normalize-path.ts';

/** Service path, route path (null: host only), strip_path, request path, upstream path in v0 and in v1. */
type Example = readonly [string | null, string | null, boolean, string, string, string];

const EXAMPLES: readonly Example[] = [
  ['/', '/route', true, '/route', '/', '/'],
  ['/', '/route', true, '/route/', '/', '/'],
  ['/', '/route', true, '/routereq', '/req', '/req'],
  [null, '/route', true, '/routereq', '/req', '/req'],
  ['/', '/route', false, '/route/', '/route/', '/route/'],
  ['/srv', '/rou', true, '/roureq', '/srv/req', '/srvreq'],
  ['/srv', '/rou', false, '/roureq', '/srv/roureq', '/srvroureq'],
  ['/srv/', '/rou', true, '/rou', '/srv', '/srv/'],
  ['/service', '/', true, '/', '/service', '/service'],
  ['/service', '/', false, '/', '/service', '/service'],
  ['/service', '/', true, '/route/', '/service/route/', '/serviceroute/'],
  ['/service', '/', false, '/route/', '/service/route/', '/serviceroute/'],
  ['/service', '/route', true, '/route', '/service', '/service'],
  ['/service', '/route', true, '/route/', '/service/', '/service/'],
  ['/service', '/route/', true, '/route/', '/service/', '/service'],
  ['/service', '/route/', true, '/route/req', '/service/req', '/servicereq'],
  ['/service/', '/', true, '/', '/service/', '/service/'],
  ['/service/', '/', false, '/', '/service/', '/service/'],
  ['/service/', '/route', true, '/route', '/service', '/service/'],
  ['/service/', '/route', true, '/route/', '/service/', '/service/'],
  ['/service/', '/route', false, '/route/', '/service/route/', '/service/route/'],
  ['/service', null, true, '/', '/service', '/service'],
  ['/service', null, false, '/', '/service', '/service'],
  ['/service', null, true, '/route', '/service/route', '/serviceroute'],
  ['/service', null, false, '/route', '/service/route', '/serviceroute'],
  ['/service', '/route', true, '/route./req', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route%2E/req', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route../req', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route..', '/service', '/service'],
  ['/service', '/route', true, '/route..%2Freq', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route..;x/req', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route..\\req', '/service/req', '/servicereq'],
  ['/service', '/route', true, '/route...', '/service/...', '/service...'],
  ['/service', '/route', false, '/route%2e%2E/req', '/service/route../req', '/serviceroute../req'],
  ['/', '/a', true, '//a//b/../c//', '/c/', '/c/'],
];

describe('compileUpstreamPath', () => {
  for (const [servicePath, routePath, stripPath, requested, v0, v1] of EXAMPLES) {
    const strip = stripPath ? 'stripping' : 'keeping';
    it(`joins ${servicePath ?? 'no path'} and ${requested} on ${routePath ?? 'a route without paths'}, ${strip} it`, () => {
      const path = normalizePath(requested) ?? '';
      const rule = { servicePath, stripPath, hasPaths: routePath !== null };
      const matched = routePath ?? '';
      expect(compileUpstreamPath({ ...rule, pathHandling: 'v0' })(path, matched)).toBe(v0);
      expect(compileUpstreamPath({ ...rule, pathHandling: 'v1' })(path, matched)).toBe(v1);
    });
  }

  it('takes away what a regex consumed like a prefix', () => {
    const build = compileUpstreamPath({
      servicePath: '/s',
      stripPath: true,
      pathHandling: 'v0',
      hasPaths: true,
    });
    expect(build('/u/12/x', '/u/12')).toBe('/s/x');
  });

  it('encodes what it joins', () => {
    const build = compileUpstreamPath({
      servicePath: null,
      stripPath: false,
      pathHandling: 'v0',
      hasPaths: true,
    });
    expect(build(normalizePath('/a%20b%7e%2f%c3%a9') ?? '', '/')).toBe('/a%20b~%2F%C3%A9');
  });
});

describe('encodePath', () => {
  it('leaves the characters a path may show, and escapes that are there', () => {
    const path = "/AZaz09-_.~!#$&'()*+,/:;=?@[]%2F";
    expect(encodePath(path)).toBe(path);
  });

  it('encodes everything else, upper-case', () => {
    expect(encodePath('/ "<>\\^`{|}\x7f\r\n')).toBe('/%20%22%3C%3E%5C%5E%60%7B%7C%7D%7F%0D%0A');
    expect(encodePath('/é😀')).toBe('/%C3%A9%F0%9F%98%80');
  });
});
