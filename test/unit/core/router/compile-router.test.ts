import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRouter } from '../../../../core/router/compile-router.ts';
import type { RouteMatch, RouteRule, RouterRequest } from '../../../../core/router/route-rule.ts';
import { matchByScanning } from './reference-router.ts';

const EMPTY_RULE = {
  createdAt: 1,
  methods: null,
  hosts: null,
  paths: null,
  headers: null,
  snis: null,
  regexPriority: 0,
} as const;

const EMPTY_REQUEST: RouterRequest = {
  method: 'GET',
  host: 'h',
  defaultPort: 80,
  path: '/',
  scheme: 'http',
  sni: undefined,
  headers: [],
};

type Attributes = Partial<Omit<RouteRule<string>, 'value'>>;

/** Rules by name; the name is the value. */
function routerOf(rules: Readonly<Record<string, Attributes>>) {
  const router = compileRouter(
    Object.entries(rules).map(([name, attributes]) => ({
      ...EMPTY_RULE,
      id: name,
      value: name,
      ...attributes,
    })),
  );
  return {
    match: (request: Partial<RouterRequest>): RouteMatch<string> | null =>
      router.match({ ...EMPTY_REQUEST, ...request }),
    find: (request: Partial<RouterRequest>): string | null =>
      router.match({ ...EMPTY_REQUEST, ...request })?.value ?? null,
  };
}

describe('a router', () => {
  it('matches nothing without rules and everything with a rule that asks nothing', () => {
    expect(routerOf({}).find({})).toBeNull();
    expect(routerOf({ any: {} }).find({ path: '/x', host: undefined })).toBe('any');
  });

  it('takes empty lists for attributes that are not set', () => {
    const { find } = routerOf({ any: { methods: [], hosts: [], paths: [], headers: {}, snis: [] } });
    expect(find({ path: '/x', host: undefined })).toBe('any');
  });

  describe('paths', () => {
    it('are prefixes that need not end with a segment', () => {
      const { find } = routerOf({ foo: { paths: ['/foo'] } });
      expect(['/foo', '/foo/', '/foobar', '/fo', '/Foo'].map((path) => find({ path }))).toEqual([
        'foo',
        'foo',
        'foo',
        null,
        null,
      ]);
    });

    it('prefer the longest prefix', () => {
      const { find } = routerOf({
        a: { paths: ['/a'] },
        abc: { paths: ['/abc'] },
        ab: { paths: ['/ab', '/x'] },
      });
      expect(['/a', '/ab', '/abcd', '/abx', '/xy'].map((path) => find({ path }))).toEqual([
        'a',
        'ab',
        'abc',
        'ab',
        'ab',
      ]);
    });

    it('tell what they consumed', () => {
      const { match } = routerOf({ a: { paths: ['/a', '~/re/\\d+'] }, host: { hosts: ['other'] } });
      expect(match({ path: '/abc' })).toEqual({ value: 'a', matchedPath: '/a', captures: null });
      expect(match({ path: '/re/12/x' })).toEqual({ value: 'a', matchedPath: '/re/12', captures: null });
      expect(match({ host: 'other', path: '/x' })?.matchedPath).toBe('');
    });

    it('prefer any regex to any prefix', () => {
      const { find } = routerOf({ plain: { paths: ['/a/very/long'] }, regex: { paths: ['~/a'] } });
      expect(find({ path: '/a/very/long' })).toBe('regex');
    });

    it('order regexes by priority, then by age', () => {
      const { find } = routerOf({
        low: { paths: ['~/a.*'], regexPriority: 1 },
        high: { paths: ['~/a'], regexPriority: 5 },
        young: { paths: ['~/b'], createdAt: 9 },
        old: { paths: ['~/b.*'], createdAt: 2 },
      });
      expect(find({ path: '/ab' })).toBe('high');
      expect(find({ path: '/bc' })).toBe('old');
    });

    it('expose the groups of a regex', () => {
      const { match } = routerOf({ r: { paths: ['~/u/(?P<id>\\d+)(/x)?'] } });
      expect(match({ path: '/u/12' })?.captures).toEqual({
        unnamed: ['/u/12', '12', ''],
        named: { id: '12' },
      });
    });

    it('match no path that is not valid text', () => {
      expect(routerOf({ root: { paths: ['/'] } }).find({ path: '/\udcff' })).toBeNull();
    });
  });

  describe('hosts', () => {
    it('compare without case, whatever port the client wrote', () => {
      const { find } = routerOf({ h: { hosts: ['Api.Example.com'] } });
      expect(find({ host: 'API.example.COM:1234' })).toBe('h');
      expect(find({ host: 'example.com' })).toBeNull();
      expect(find({ host: undefined })).toBeNull();
    });

    it('match any number of labels with a wildcard, but at least one', () => {
      const { find } = routerOf({ left: { hosts: ['*.b.c'] }, right: { hosts: ['a.*'] } });
      expect(['x.b.c', 'x.y.b.c', 'b.c', 'a.x', 'a.x.y', 'a'].map((host) => find({ host }))).toEqual([
        'left',
        'left',
        null,
        'right',
        'right',
        null,
      ]);
    });

    it('with a port need that port, which is the default one where the client wrote none', () => {
      const { find } = routerOf({ p: { hosts: ['h:8080'] }, w: { hosts: ['*.w:80'] } });
      expect(find({ host: 'h:8080' })).toBe('p');
      expect(find({ host: 'h' })).toBeNull();
      expect(find({ host: 'h', defaultPort: 8080 })).toBe('p');
      expect(find({ host: 'x.w' })).toBe('w');
    });

    it('prefer plain names to wildcards, and wildcards with a port to both', () => {
      const { find } = routerOf({
        wildcard: { hosts: ['*.b'] },
        plain: { hosts: ['a.b'] },
        port: { hosts: ['*.b:81'] },
      });
      expect(find({ host: 'a.b' })).toBe('plain');
      expect(find({ host: 'x.b' })).toBe('wildcard');
      expect(find({ host: 'a.b:81' })).toBe('port');
    });
  });

  describe('headers', () => {
    it('must all be there with one of their values, without regard to case', () => {
      const { find } = routerOf({ r: { headers: { 'X-A': ['One', 'two'], 'x-b': ['3'] } } });
      expect(find({ headers: ['x-a', 'zero', 'x-a', 'ONE', 'x-b', '3'] })).toBe('r');
      expect(find({ headers: ['x-a', 'one'] })).toBeNull();
    });

    it('may be configured with underscores for hyphens', () => {
      const { find } = routerOf({ r: { headers: { x_a: ['1'] } } });
      expect(find({ headers: ['x-a', '1'] })).toBe('r');
      expect(find({ headers: ['x_a', '1'] })).toBe('r');
    });

    it('are searched for a pattern when it is the only value', () => {
      const { find } = routerOf({
        regex: { headers: { 'x-a': ['~*^V[12]$'] } },
        text: { headers: { 'x-b': ['~*a', 'b'] } },
      });
      expect(find({ headers: ['x-a', 'v2'] })).toBe('regex');
      expect(find({ headers: ['x-a', 'v3'] })).toBeNull();
      expect(find({ headers: ['x-b', 'xax'] })).toBeNull();
      expect(find({ headers: ['x-b', '~*a'] })).toBe('text');
    });

    it('are looked for among the first hundred', () => {
      const { find } = routerOf({ r: { headers: { 'x-a': ['1'] } } });
      const filler = Array.from({ length: 100 }, () => ['x-f', '0']).flat();
      expect(find({ headers: [...filler, 'x-a', '1'] })).toBeNull();
      expect(find({ headers: [...filler.slice(2), 'x-a', '1'] })).toBe('r');
    });

    it('win by number', () => {
      const { find } = routerOf({
        one: { headers: { a: ['1'] }, paths: ['/very/long'] },
        two: { headers: { a: ['1'], b: ['2'] }, paths: ['/'] },
      });
      expect(find({ headers: ['a', '1', 'b', '2'], path: '/very/long' })).toBe('two');
    });
  });

  describe('snis', () => {
    it('compare exactly, and are skipped over plain http', () => {
      const { find } = routerOf({ s: { snis: ['a.b.'] } });
      expect(find({ scheme: 'https', sni: 'a.b' })).toBe('s');
      expect(find({ scheme: 'https', sni: 'c' })).toBeNull();
      expect(find({ scheme: 'https' })).toBeNull();
      expect(find({ scheme: 'http' })).toBe('s');
    });
  });

  describe('which route wins', () => {
    it('is the one with more attributes, however specific', () => {
      const { find } = routerOf({
        two: { methods: ['GET'], paths: ['/'] },
        one: { paths: ['/very/long'] },
      });
      expect(find({ path: '/very/long' })).toBe('two');
    });

    it('is decided by host, header, path, method, sni where the numbers are equal', () => {
      const { find } = routerOf({
        path: { paths: ['/a'] },
        host: { hosts: ['h'] },
        method: { methods: ['GET'] },
        header: { headers: { x: ['1'] } },
      });
      expect(find({ path: '/a', headers: ['x', '1'] })).toBe('host');
      expect(find({ path: '/a', headers: ['x', '1'], host: 'o' })).toBe('header');
      expect(find({ path: '/a', host: 'o' })).toBe('path');
      expect(find({ path: '/', host: 'o' })).toBe('method');
    });

    it('falls through to a category with fewer attributes', () => {
      const { find } = routerOf({ post: { methods: ['POST'], paths: ['/a'] }, any: { paths: ['/'] } });
      expect(find({ path: '/a' })).toBe('any');
    });

    it('is the older one among equals', () => {
      const { find } = routerOf({
        young: { paths: ['/a'], createdAt: 20 },
        old: { paths: ['/a'], createdAt: 10 },
      });
      expect(find({ path: '/a' })).toBe('old');
    });
  });

  it('refuses a rule with a regex that cannot run, naming it', () => {
    expect(() => routerOf({ bad: { paths: ['~/(?=a)'] } })).toThrow(/^route bad cannot be compiled: /);
  });

  it('leaves refused rules out when told whom to tell', () => {
    const refused: string[] = [];
    const rules = ['~/(', '/b'].map((path) => ({ ...EMPTY_RULE, id: path, value: path, paths: [path] }));
    const router = compileRouter(rules, ({ id }) => refused.push(id));
    expect(refused).toEqual(['~/(']);
    expect(router.match({ ...EMPTY_REQUEST, path: '/b' })?.value).toBe('/b');
  });

  it('decides as a scan in the documented order does', () => {
    const listOf = (...entries: string[]) =>
      fc.option(fc.uniqueArray(fc.constantFrom(...entries), { minLength: 1, maxLength: 3 }), { nil: null });
    const paths = ['/', '/a', '/ab', '/abc', '/a/b', '/b', '~/a', '~/a.c', '~/(?<x>[ab])+', '~/b$', '~/a|/b'];
    const hosts = ['h', 'a.b', 'c.a.b', '*.b', '*.a.b', 'a.*', 'h:81', '*.b:81', 'a.*:81'];
    const rule = fc.record({
      createdAt: fc.nat(3),
      methods: listOf('GET', 'POST'),
      hosts: listOf(...hosts),
      paths: listOf(...paths),
      headers: fc.option(
        fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom(['1'], ['1', '2']), { minKeys: 1 }),
        { nil: null },
      ),
      snis: listOf('s', 't'),
      regexPriority: fc.nat(2),
    });
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT'),
      host: fc.constantFrom(undefined, 'h', 'H:81', 'a.b', 'c.a.b:81', 'a.x', 'b'),
      defaultPort: fc.constantFrom(80, 81),
      path: fc.constantFrom('/', '/a', '/ab', '/abc', '/abcd', '/a/b', '/b', '/bb', '/c'),
      scheme: fc.constantFrom('http' as const, 'https' as const),
      sni: fc.constantFrom(undefined, 's'),
      headers: fc.constantFrom([], ['x', '1'], ['x', '2', 'y', '1'], ['x', '3']),
    });
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 12 }),
        fc.array(request, { maxLength: 8 }),
        (drafts, requests) => {
          const rules = drafts.map((draft, index) => ({ ...draft, id: `r${index}`, value: index }));
          const router = compileRouter(rules);
          for (const one of requests) {
            expect(router.match(one)?.value ?? null).toBe(matchByScanning(rules, one));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
