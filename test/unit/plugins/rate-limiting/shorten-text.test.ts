import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortenText } from '../../../../plugins/rate-limiting/shorten-text.ts';

describe('shortened text', () => {
  it('is the text itself up to 256 characters', () => {
    for (const text of ['', 'a', 'x'.repeat(256)]) expect(shortenText(text)).toBe(text);
  });

  it('is short for any text, and the same for the same text', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 257, maxLength: 9000 }), (text) => {
        expect(shortenText(text).length).toBeLessThanOrEqual(256);
        expect(shortenText(text)).toBe(shortenText(`${text}`));
      }),
    );
  });

  it('differs where one character does, wherever it is', () => {
    const long = 'x'.repeat(3_000);
    const texts = Array.from(
      { length: 300 },
      (_, at) => `${long.slice(0, at * 10)}y${long.slice(at * 10 + 1)}`,
    );
    expect(new Set(texts.map(shortenText)).size).toBe(texts.length);
  });
});
