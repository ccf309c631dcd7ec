import { describe, expect, it } from 'vitest';
import { compileOrigins } from '../../../../plugins/cors/allowed-origin.ts';

const allowed = (origins: readonly string[], origin?: string) => compileOrigins(origins)(origin);

describe('the allowed origin', () => {
  it.each([[[]], [['*']]])('is anything, for everybody alike, with %j', (origins) => {
    expect(allowed(origins, 'https://a.test')).toEqual({ value: '*', varies: false });
    expect(allowed(origins)).toEqual({ value: '*', varies: false });
  });

  it('is the only plain one whatever the request says', () => {
    expect(allowed(['https://a.test'], 'https://b.test')).toEqual({ value: 'https://a.test', varies: true });
    expect(allowed(['a.test'])).toEqual({ value: 'a.test', varies: true });
  });

  it('is the one of several that the request comes from', () => {
    const origins = ['https://a.test', 'http://b.test:8080', 'c.test'];
    expect(allowed(origins, 'http://b.test:8080').value).toBe('http://b.test:8080');
    expect(allowed(origins, 'http://b.test').value).toBeUndefined();
    expect(allowed(origins, 'http://a.test').value).toBeUndefined();
    expect(allowed(origins, 'https://c.test').value).toBeUndefined();
    expect(allowed(origins)).toEqual({ value: undefined, varies: true });
  });

  it.each([
    ['https://a.test:443', 'https://a.test'],
    ['https://a.test', 'https://a.test:443'],
    ['http://a.test:80', 'http://a.test'],
  ])('drops the port that belongs to the scheme: %s for %s', (entry, origin) => {
    expect(allowed([entry, 'x.test'], origin).value).toBe(origin.replace(/:\d+$/, ''));
  });

  it('keeps a port that belongs to another scheme', () => {
    expect(allowed(['https://a.test', 'x.test'], 'https://a.test:80').value).toBeUndefined();
  });

  it('is anything when that is among several, for requests that have an origin', () => {
    expect(allowed(['https://a.test', '*'], 'https://b.test')).toEqual({ value: '*', varies: true });
    expect(allowed(['https://a.test', '*']).value).toBeUndefined();
  });

  it('holds a regular expression without a colon against the host alone', () => {
    const origins = ['(.*[.])?a[.]test'];
    expect(allowed(origins, 'https://sub.a.test:8443').value).toBe('https://sub.a.test:8443');
    expect(allowed(origins, 'http://a.test').value).toBe('http://a.test');
    expect(allowed(origins, 'https://a.test.evil').value).toBeUndefined();
    expect(allowed(origins, 'https://eviltest').value).toBeUndefined();
    expect(allowed(origins, 'https://evil.test/a.test').value).toBeUndefined();
  });

  it('holds one with a colon against the whole origin, from end to end', () => {
    const origins = ['^https?://(a|b)\\.test(:80)?$'];
    expect(allowed(origins, 'https://b.test').value).toBe('https://b.test');
    expect(allowed(origins, 'https://b.test:81').value).toBeUndefined();
    expect(allowed(['https://a.test|https://b.test'], 'https://a.test.evil').value).toBeUndefined();
    expect(allowed(['https://a.test|https://b.test'], 'x-https://b.test').value).toBeUndefined();
  });

  it.each(['null', 'file://', 'garbage', '//', 'https://', 'https://@', '://a.test', ' '])(
    'is none for an origin that is no URL: %j',
    (origin) => {
      expect(allowed(['https://a.test', 'b[.]test'], origin).value).toBeUndefined();
    },
  );

  it('can be the origin of a page without one', () => {
    expect(allowed(['null', 'https://a.test'], 'null').value).toBe('null');
  });

  it('does not take a name in front of @ for the host', () => {
    expect(allowed(['a[.]test'], 'https://a.test@evil.test').value).toBeUndefined();
    expect(allowed(['a[.]test'], 'https://a.test:x@evil.test').value).toBeUndefined();
  });
});
