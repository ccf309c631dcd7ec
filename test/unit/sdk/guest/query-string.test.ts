import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collectArguments,
  decodeComponent,
  formatArguments,
  parseArguments,
} from '../../../../sdk/guest/query-string.ts';

const MANY = Number.POSITIVE_INFINITY;

describe('parsing arguments', () => {
  it.each([
    ['', []],
    [
      'a=1&b=2&a=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    ['a', [['a', true]]],
    ['a=', [['a', '']]],
    ['a=b=c', [['a', 'b=c']]],
    ['&&a=1&', [['a', '1']]],
    ['=1&%=2', [['%', '2']]],
    ['a+b=c+d%20e', [['a b', 'c d e']]],
    ['%61%3d=%26', [['a=', '&']]],
    [
      'a[]=1&a[1]=2',
      [
        ['a[]', '1'],
        ['a[1]', '2'],
      ],
    ],
    [
      '__proto__=1&constructor',
      [
        ['__proto__', '1'],
        ['constructor', true],
      ],
    ],
  ])('reads %j', (text, expected) => {
    expect(parseArguments(text, MANY)).toEqual(expected);
  });

  it('stops at the number asked for', () => {
    expect(parseArguments('a&b&c', 2)).toEqual([
      ['a', true],
      ['b', true],
    ]);
    expect(parseArguments('a&b&c', 0)).toEqual([]);
  });

  it('throws on no text and returns no empty names', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: fc.constantFrom('%', '&', '=', '+', 'a', 'F', '\xff'), maxLength: 60 }),
        (any, tricky) => {
          for (const text of [any, tricky]) {
            for (const [name] of parseArguments(text, MANY)) expect(name).not.toBe('');
          }
        },
      ),
    );
  });
});

describe('decoding', () => {
  it.each([
    ['%zz', '%zz'],
    ['100%', '100%'],
    ['%C3%A9', 'é'],
    ['%E9', '\xe9'],
    ['%E9%zz+%41', '\xe9%zz A'],
    ['%00', '\0'],
  ])('makes %j %j', (text, expected) => {
    expect(decodeComponent(text)).toBe(expected);
  });
});

describe('collecting arguments', () => {
  it('lists what is repeated, and has no members of its own', () => {
    const collected = collectArguments(parseArguments('a=1&b&a&a=2&__proto__=x&toString=y', MANY));
    expect(Object.entries(collected)).toEqual([
      ['a', ['1', true, '2']],
      ['b', true],
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]);
    expect(collected['constructor']).toBeUndefined();
  });
});

describe('formatting arguments', () => {
  it('writes what parses to the same, for any names and values', () => {
    const argument = fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(true as const)),
    );
    fc.assert(
      fc.property(fc.array(argument), (given) => {
        expect(parseArguments(formatArguments(given), MANY)).toEqual(given);
      }),
    );
  });

  it('writes whatever was read, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const read = parseArguments(text, MANY);
        expect(parseArguments(formatArguments(read), MANY)).toEqual(read);
      }),
    );
  });
});
