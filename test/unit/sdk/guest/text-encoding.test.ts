import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesFromText, textFromBytes } from '../../../../sdk/guest/text-encoding.ts';

const latin1 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('text from bytes', () => {
  it('is UTF-8 where the bytes are, and the bytes themselves otherwise', () => {
    expect(textFromBytes('100% plain')).toBe('100% plain');
    expect(textFromBytes('caf\xc3\xa9 100%41')).toBe('café 100%41');
    expect(textFromBytes('caf\xe9')).toBe('caf\xe9');
    expect(textFromBytes('\xed\xa0\x80')).toBe('\xed\xa0\x80');
    expect(textFromBytes('\xc0\x80')).toBe('\xc0\x80');
  });

  it('agrees with a strict decoder on any bytes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(latin1, (bytes) => {
        let expected = bytes;
        try {
          expected = strict.decode(Buffer.from(bytes, 'latin1'));
        } catch {
          // Not UTF-8.
        }
        expect(textFromBytes(bytes)).toBe(expected);
      }),
    );
  });
});

describe('bytes from text', () => {
  it('are UTF-8 for any text, with U+FFFD for half a pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(bytesFromText(text)).toBe(Buffer.from(text.toWellFormed(), 'utf8').toString('latin1'));
      }),
    );
    expect(bytesFromText('a\ud800b')).toBe('a\xef\xbf\xbdb');
  });

  it('are the text again when read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textFromBytes(bytesFromText(text))).toBe(text);
      }),
    );
  });
});
