import { describe, expect, it } from 'vitest';
import { listWildcardsOf, parseHostPattern, splitHost } from '../../../../core/router/host-pattern.ts';

describe('splitHost', () => {
  it('lowers the name and splits the port off', () => {
    expect(splitHost('A.B:8080')).toEqual({ name: 'a.b', port: 8080 });
    expect(splitHost('A.B')).toEqual({ name: 'a.b', port: undefined });
  });

  it('takes a suffix that is no port for a part of the name', () => {
    expect(splitHost('a:b')).toEqual({ name: 'a:b', port: undefined });
    expect(splitHost('a:')).toEqual({ name: 'a:', port: undefined });
  });

  it('peels the brackets of IPv6 literals', () => {
    expect(splitHost('[::1]:80')).toEqual({ name: '::1', port: 80 });
    expect(splitHost('[::1]')).toEqual({ name: '::1', port: undefined });
    expect(splitHost('::1')).toEqual({ name: '::1', port: undefined });
  });
});

describe('parseHostPattern', () => {
  it('tells wildcards from plain names', () => {
    expect(parseHostPattern('*.b:81')).toEqual({ name: '*.b', port: 81, isWildcard: true });
    expect(parseHostPattern('a.b').isWildcard).toBe(false);
  });
});

describe('listWildcardsOf', () => {
  it('lists every wildcard that matches', () => {
    expect(listWildcardsOf('x.y.b').sort()).toEqual(['*.b', '*.y.b', 'x.*', 'x.y.*']);
    expect(listWildcardsOf('b')).toEqual([]);
    expect(listWildcardsOf('.b')).toEqual([]);
  });

  it('lists none for what is too long to be a name', () => {
    expect(listWildcardsOf('a.'.repeat(4000))).toEqual([]);
  });
});
