import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePercentBytes,
  decodeSegment,
  invalidUtf8Position,
} from '../../../../core/admin/percent-decoding.ts';

describe('percent-decoding', () => {
  it('reads escaped and raw UTF-8 alike', () => {
    expect(decodeSegment('%E5%86%86')).toBe('円');
    expect(decodeSegment(Buffer.from('円').toString('latin1'))).toBe('円');
  });

  it('leaves malformed escapes as they are', () => {
    expect(decodeSegment('%zz%4')).toBe('%zz%4');
  });

  it('takes + for a space in arguments only', () => {
    expect(decodePercentBytes('a+b', true).toString()).toBe('a b');
    expect(decodeSegment('a+b')).toBe('a+b');
  });

  it('undoes encodeURIComponent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(text.isWellFormed());
        expect(decodeSegment(encodeURIComponent(text))).toBe(text);
      }),
    );
  });
});

describe('the position of bytes that are not UTF-8', () => {
  it.each([
    [[0x80], 1],
    [[0x61, 0xff, 0x61], 2],
    [[0x61, 0xe5, 0x86], 2],
    [[0xc0, 0x80], 1],
    [[0xed, 0xa0, 0x80], 1],
    [[0xf4, 0x90, 0x80, 0x80], 1],
  ])('of %j is %i', (bytes, position) => {
    expect(invalidUtf8Position(Uint8Array.from(bytes))).toBe(position);
  });

  it('is undefined exactly for what Node calls UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        expect(invalidUtf8Position(bytes) === undefined).toBe(isUtf8(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});
