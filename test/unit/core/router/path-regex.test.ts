import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  checkHeaderRegex,
  checkRoutePathRegex,
  compileHeaderRegex,
  compilePathRegex,
  compileRoutePathRegex,
} from '../../../../core/router/path-regex.ts';

function matchStart(source: string, path: string): RegExpExecArray | null {
  const regex = compileRoutePathRegex(source);
  regex.lastIndex = 0;
  return regex.exec(path);
}

describe('compileRoutePathRegex', () => {
  it('anchors at the start only', () => {
    expect(matchStart('/a\\d', '/a1/rest')?.[0]).toBe('/a1');
    expect(matchStart('/a\\d', '/x/a1')).toBeNull();
    expect(matchStart('/a|/b', '/x/b')).toBeNull();
  });

  it('takes groups named in either spelling', () => {
    expect({ ...matchStart('/(?<n>\\d+)', '/12')?.groups }).toEqual({ n: '12' });
    expect({ ...matchStart('/(?P<n>\\d+)', '/12')?.groups }).toEqual({ n: '12' });
    expect(matchStart('/[(]?(?P<n>x)', '/(x')?.[0]).toBe('/(x');
  });

  it('ignores case behind (?i)', () => {
    expect(matchStart('/(?i)foo[a-c]\\.x', '/FoOB.X')?.[0]).toBe('/FoOB.X');
    expect(matchStart('/a(?i)b', '/Ab')).toBeNull();
    expect(matchStart('/(?i)[^a]', '/A')).toBeNull();
  });

  it('takes repetitions longer than the linear-time engine would', () => {
    const hex = 'a'.repeat(36);
    expect(matchStart('/[0-9a-f]{36}$', `/${hex}`)?.[0]).toBe(`/${hex}`);
    expect(matchStart('/[0-9a-f]{36}$', `/${hex}a`)).toBeNull();
    expect(matchStart('/x{2,40}', `/${'x'.repeat(50)}`)?.[0]).toBe(`/${'x'.repeat(40)}`);
    expect(matchStart('/x{20,}y', `/${'x'.repeat(19)}y`)).toBeNull();
    expect(matchStart('/x{20,}y', `/${'x'.repeat(200)}y`)).not.toBeNull();
    expect(matchStart('/x{0,20}?y', `/${'x'.repeat(20)}y`)).not.toBeNull();
  });

  it('stays fast on patterns that make backtracking explode', () => {
    const regex = compileRoutePathRegex('/(a+)+$');
    regex.lastIndex = 0;
    expect(regex.test(`/${'a'.repeat(5000)}!`)).toBe(false);
    regex.lastIndex = 0;
    expect(regex.exec(`/${'a'.repeat(50)}`)?.[1]).toBe('a'.repeat(50));
  });

  it.each([
    '(a+)+$',
    '(a|a)*$',
    '(?:a|aa)+$',
    '(a?){16}a{16}$',
    '(.*)(.*)(.*)(.*)(.*)(.*)x$',
    '(.*a){12}$',
    '(?:(?:(?:a|b)*)*)*c$',
    '([a-z]+)*=',
    '(x+x+)+y|(a+a+)+y',
    '[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*1',
    '(?:a{0,16}a{0,16}a{0,16}a{0,16})*!',
  ])('does not stall on any path or header value: %s', (source) => {
    const endless = `/${'a'.repeat(8000)}b`;
    // A backtracking engine would not come back before the test run is given up.
    for (let round = 0; round < 3; round++) {
      const regex = compileRoutePathRegex(`/${source}`);
      expect(regex.test(endless)).toBe(false);
      expect(compileHeaderRegex(`^/${source}`).test(endless)).toBe(false);
    }
  });

  it('stays fast in worker threads', async () => {
    const module = new URL('../../../../core/router/path-regex.ts', import.meta.url).href;
    const code = `
      import { parentPort } from 'node:worker_threads';
      import { compileRoutePathRegex } from ${JSON.stringify(module)};
      parentPort.postMessage(compileRoutePathRegex('/(a|a)*b').test('/' + 'a'.repeat(5000)));`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toBe(false);
    await worker.terminate();
  });

  it('finds the text every match begins with', () => {
    const prefixOf = (source: string) => compilePathRegex(source).literalPrefix;
    expect(prefixOf('/api/v1/(\\d+)')).toBe('/api/v1/');
    expect(prefixOf('/a\\.b\\/c[d]')).toBe('/a.b/c');
    expect(prefixOf('^/ab?c')).toBe('/a');
    expect(prefixOf('/ab{0}c')).toBe('/a');
    expect(prefixOf('/a|/b')).toBe('');
    expect(prefixOf('/(a|b)')).toBe('/');
    expect(prefixOf('/x(?i)abc')).toBe('/x');
  });
});

describe('checkRoutePathRegex', () => {
  it('accepts what can run in linear time', () => {
    for (const source of [
      '/a',
      '/\\d+/(?:x|y)*',
      '/[^/]+/.*?\\.(?:png|jpe?g)$',
      '/\\Aa\\z',
      '/[]a]',
      '/a{1,16}',
    ]) {
      expect(checkRoutePathRegex(source)).toBeUndefined();
    }
  });

  it('says what is wrong with the pattern', () => {
    expect(checkRoutePathRegex('/(')).toBe("invalid regex: '/(' (PCRE returned: Unterminated group)");
  });

  it('refuses look-ahead, back-references and what JavaScript would read differently', () => {
    for (const source of [
      '/a(?=b)',
      '/a(?!b)',
      '/(a)\\1',
      '/(?<n>a)\\k<n>',
      '/\\Qa\\E',
      '/[[:alpha:]]',
      '/\\p{L}',
    ]) {
      expect(checkRoutePathRegex(source)).toMatch(/^invalid regex: /);
    }
  });

  it('refuses what would keep hundreds of states busy at every character of a path', () => {
    for (const source of [
      '/a{0,1000}',
      '/a{400}b{400}',
      '/(?:[a-f]{16}){16}(?:b{16}){16}b',
      `/${'(?:a{16}b)'.repeat(40)}`,
    ]) {
      expect(checkRoutePathRegex(source)).toMatch(/more than 512 characters/);
    }
    expect(checkRoutePathRegex('/[a-z]{1,255}/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}')).toBeUndefined();
    expect(checkRoutePathRegex(`/${'(?:a{0,15}b)'.repeat(30)}`)).toBeUndefined();
  });

  it('refuses syntax errors', () => {
    for (const source of ['/[', '/a**', '/)', '/\\', '/(?>a)', '/((?i)a)', '/a{5000}']) {
      expect(checkRoutePathRegex(source)).toMatch(/^invalid regex: /);
    }
  });
});

describe('compileHeaderRegex', () => {
  it('searches anywhere and ignores the case of the pattern', () => {
    expect(compileHeaderRegex('Foo\\d$').test('xfoo1')).toBe(true);
    expect(compileHeaderRegex('Foo\\D').test('foo1')).toBe(false);
  });

  it('is checked like a path', () => {
    expect(checkHeaderRegex('a(?=b)')).toMatch(/^invalid regex: /);
    expect(checkHeaderRegex('^a|b$')).toBeUndefined();
  });
});
