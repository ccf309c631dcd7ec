import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePath } from '../../../../core/gateway/upstream-path.ts';
import { normalizePath } from '../../../../core/router/normalize-path.ts';

describe('normalizePath', () => {
  it('returns a path in normal form as it is', () => {
    for (const path of ['/', '/a', '/a/', '/a/b.c/d-e_f~g', '/.well-known/x', '/a/...', "/!$&'()*+,;=:@"]) {
      expect(normalizePath(path)).toBe(path);
    }
  });

  it('drops everything from the first question mark', () => {
    expect(normalizePath('/a?b=/../..')).toBe('/a');
  });

  it('decodes escapes of unreserved and other ordinary bytes', () => {
    expect(normalizePath('/%61%7e%2D%20%22%5c')).toBe('/a~- "\\');
  });

  it('keeps escapes of reserved bytes, with upper-case digits', () => {
    const reserved = [..."!*'();:@&=+$,/?%#[]"];
    for (const character of reserved) {
      const escaped = `%${character.charCodeAt(0).toString(16)}`;
      expect(normalizePath(`/a${escaped}b`)).toBe(`/a${escaped.toUpperCase()}b`);
    }
  });

  it('does not decode twice', () => {
    expect(normalizePath('/%2541')).toBe('/%2541');
  });

  it('decodes UTF-8, escaped or raw', () => {
    expect(normalizePath('/%C3%A9')).toBe('/é');
    expect(normalizePath('/\u00c3\u00a9')).toBe('/é');
  });

  it('removes dot segments and merges slashes', () => {
    expect(normalizePath('//a//b/../c//')).toBe('/a/c/');
    expect(normalizePath('/a/./b/.')).toBe('/a/b/');
    expect(normalizePath('/a/b/..')).toBe('/a/');
    expect(normalizePath('/a/..')).toBe('/');
    expect(normalizePath('/a/%2e%2E/b')).toBe('/b');
    expect(normalizePath('///')).toBe('/');
  });

  it('refuses paths that climb above the root', () => {
    for (const path of ['/..', '/a/../../b', '/%2e%2e/', '//..', '/..%2fa', '/a%2f..%2f..%2fb']) {
      expect(normalizePath(path)).toBeNull();
    }
  });

  it('refuses dot segments that only some servers would see', () => {
    for (const path of [
      '/public/..%2fadmin',
      '/public%2f..%2fadmin',
      '/public/%2e%2e%2Fadmin',
      '/public/..%5cadmin',
      '/public\\..\\admin',
      '/public/..;/admin',
      '/public/..;x=1/admin',
      '/public/.;/admin',
      '/public%2F.',
      '/public\\..',
    ]) {
      expect(normalizePath(path)).toBeNull();
    }
    for (const path of [
      '/a..%2Fb',
      '/a\\b',
      '/a;..',
      '/...;x',
      '/a%2F.b',
      '/a;b/c',
      '/..a\\b',
      '/.well-known;x',
    ]) {
      expect(normalizePath(path)).toBe(path);
    }
  });

  it('refuses malformed escapes, NUL and targets that are no path', () => {
    for (const path of ['/%', '/%4', '/%zz', '/%g1', '/a%00', '', '*', 'a', '?']) {
      expect(normalizePath(path)).toBeNull();
    }
  });

  it('shows bytes that are no UTF-8 as lone surrogates, which encode back to the same bytes', () => {
    const path = normalizePath('/a%ff%C3%A9b');
    expect(path?.isWellFormed()).toBe(false);
    expect(encodePath(path ?? '')).toBe('/a%FF%C3%A9b');
  });

  it('yields rooted paths without dot segments or empty ones, for any bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', '//', '.', '..', '%2e', '%2F', '%', '%41', '%ff', 'a', '?', '\u00e9'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const path = normalizePath(`/${pieces.join('')}`);
        if (path === null) return;
        const inner = path.split('/').slice(1, -1);
        expect(path.startsWith('/')).toBe(true);
        expect(path.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false);
        expect(inner.includes('')).toBe(false);
      }),
    );
  });

  it('changes nothing in what it has normalised and encoded before', () => {
    fc.assert(
      fc.property(fc.webPath(), (raw) => {
        const once = normalizePath(raw.startsWith('/') ? raw : `/${raw}`);
        if (once !== null) expect(normalizePath(encodePath(once))).toBe(once);
      }),
    );
  });
});
