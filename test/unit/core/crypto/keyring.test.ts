import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../../../core/crypto/keyring.ts';

const [one, other] = [randomBytes(32), randomBytes(32)];

describe('a keyring', () => {
  it('opens what it has sealed, whatever it is, as the same one’s only', () => {
    const ring = createKeyring([one]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const sealed = ring.seal(text, 'a');
        expect(sealed).not.toBe(text);
        expect(ring.open(sealed, 'a')).toBe(text);
        expect(ring.open(sealed, 'b')).toBe(sealed);
      }),
    );
  });

  it('seals the same text differently each time', () => {
    const ring = createKeyring([one]);
    expect(ring.seal('x', 'a')).not.toBe(ring.seal('x', 'a'));
  });

  it('seals with the first key and opens with all', () => {
    const old = createKeyring([one]).seal('x', 'a');
    const ring = createKeyring([other, one]);
    expect(ring.open(old, 'a')).toBe('x');
    expect(createKeyring([other]).open(ring.seal('y', 'a'), 'a')).toBe('y');
  });

  it('says which key it lacks, and leaves the text as it is', () => {
    const missing: string[] = [];
    const sealed = createKeyring([one]).seal('x', 'a');
    for (const keys of [[other], []]) {
      expect(createKeyring(keys, (id) => missing.push(id)).open(sealed, 'a')).toBe(sealed);
    }
    expect(missing).toEqual([sealed.split('$')[2], sealed.split('$')[2]]);
  });

  it('opens nothing that was changed', () => {
    const ring = createKeyring([one]);
    const sealed = ring.seal('some text', 'a');
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', '_', '$', ''), (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        // The last character has bits that mean nothing.
        fc.pre(changed !== sealed && at < sealed.length - 1);
        expect(ring.open(changed, 'a')).toBe(changed);
      }),
    );
  });

  it('leaves what was never sealed, even if it looks as if it were', () => {
    const ring = createKeyring([one]);
    for (const text of ['', 'x', '$sealed$', '$sealed$0123456789abcdef$', '$sealed$0123456789abcdef$AAAA']) {
      expect(ring.open(text, 'a')).toBe(text);
    }
  });

  it('without a key gives back what it is given', () => {
    const ring = createKeyring([]);
    expect([ring.hasKey, ring.seal('x', 'a'), ring.open('x', 'a')]).toEqual([false, 'x', 'x']);
  });
});
