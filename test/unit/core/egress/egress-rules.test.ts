import { describe, expect, it } from 'vitest';
import { compileEgress } from '../../../../core/egress/egress-rules.ts';
import { isEgressEntry } from '../../../../sdk/protocol/fetch.ts';

const check = (entries: readonly string[], url: string) => () => compileEgress(entries).check(new URL(url));

describe('the origins of a manifest', () => {
  it.each([
    ['https://api.example.com', 'https://api.example.com/v1?a=1'],
    ['https://api.example.com', 'https://API.example.com:443/'],
    ['https://api.example.com', 'https://api.example.com./'],
    ['https://*.example.com', 'https://a.b.example.com/'],
    ['http://example.com:8080', 'http://example.com:8080/'],
    ['http://10.1.2.3', 'http://10.1.2.3/'],
    ['http://10.1.2.3', 'http://0x0a.1.2.3/'],
    ['http://[::1]:80', 'http://[0:0::1]/'],
  ])('allow with %s: %s', (entry, url) => {
    expect(check([entry], url)).not.toThrow();
  });

  it.each([
    ['https://api.example.com', 'http://api.example.com/'],
    ['https://api.example.com', 'https://api.example.com:8443/'],
    ['https://api.example.com', 'https://api.example.com.evil.org/'],
    ['https://api.example.com', 'https://evil.org/api.example.com'],
    ['https://*.example.com', 'https://example.com/'],
    ['https://*.example.com', 'https://evilexample.com/'],
    ['10.0.0.0/8', 'http://10.1.2.3/'],
  ])('refuse with %s: %s', (entry, url) => {
    expect(check([entry], url)).toThrow(/^the manifest does not list the origin/);
  });
});

describe('private addresses', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ])('are not connected to: %s', (address) => {
    expect(compileEgress(['https://example.com']).mayConnect(address)).toBe(false);
  });

  it.each(['1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])('are not %s', (address) => {
    expect(compileEgress(['https://example.com']).mayConnect(address)).toBe(true);
  });

  it('are connected to where they are listed', () => {
    const { mayConnect } = compileEgress(['http://internal', '10.0.0.0/8', 'fd00::1']);
    expect(['10.1.2.3', 'fd00::1', '192.168.0.1', 'fd00::2'].map(mayConnect)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('an entry of a manifest', () => {
  it.each(['https://a', 'http://a:1', 'https://*.a.b', 'http://[::1]', '10.0.0.0/8', '::1', '1.2.3.4'])(
    'may be %s',
    (entry) => expect(isEgressEntry(entry)).toBe(true),
  );

  it.each([
    '*',
    'https://*',
    'https://a.*.b',
    'https://A',
    'https://a/',
    'https://a/b',
    'https://u@a',
    'ftp://a',
    'a',
    'https://a:0',
    'https://a:65536',
    'http://[a]',
    'http://*.1.2.3.4',
    '',
    7,
    null,
  ])('may not be %j', (entry) => expect(isEgressEntry(entry)).toBe(false));
});
