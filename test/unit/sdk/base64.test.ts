import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64, isBase64 } from '../../../sdk/base64.ts';

const TEXTS = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar', 'ünï ☃ 🎈', '\0\x01', 'a?>~'];

describe('base64', () => {
  it.each(TEXTS)('of %j is what everybody writes, and is read back', (text) => {
    const encoded = Buffer.from(text).toString('base64');
    expect(encodeBase64(text)).toBe(encoded);
    expect(decodeBase64(encoded)).toBe(text);
    expect(decodeBase64(encoded.replaceAll('=', ''))).toBe(text);
    expect(decodeBase64(Buffer.from(text).toString('base64url'))).toBe(text);
  });

  it.each(['A', 'AAAAA', 'AA A', 'AA\n', 'AA===', '=AA', 'A=A=', 'é', '%41', 'A'.repeat(9)])(
    'is not %j',
    (text) => {
      expect(isBase64(text)).toBe(false);
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it('of bytes that are no text is base64, and no text', () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      const encoded = Buffer.from(bytes).toString('base64');
      expect([isBase64(encoded), decodeBase64(encoded)]).toEqual([true, undefined]);
    }
  });
});
