import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatPeerAddress } from '../../../../core/http/peer-address.ts';

const format = (...bytes: number[]) => formatPeerAddress(Uint8Array.from(bytes).buffer);

function groups(...values: number[]): number[] {
  return values.flatMap((value) => [value >> 8, value & 0xff]);
}

it.each([
  ['127.0.0.1', [127, 0, 0, 1]],
  ['255.255.255.255', [255, 255, 255, 255]],
  ['10.0.0.1', [...groups(0, 0, 0, 0, 0, 0xffff), 10, 0, 0, 1]],
  ['::1', groups(0, 0, 0, 0, 0, 0, 0, 1)],
  ['::', groups(0, 0, 0, 0, 0, 0, 0, 0)],
  ['2001:db8::1', groups(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)],
  ['2001:db8:0:1:1:1:1:1', groups(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1)],
  ['2001:0:0:1::1', groups(0x2001, 0, 0, 1, 0, 0, 0, 1)],
  ['2001:db8::1:0:0:1', groups(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1)],
  ['fe80::', groups(0xfe80, 0, 0, 0, 0, 0, 0, 0)],
])('writes %s', (text, bytes) => {
  expect(format(...bytes)).toBe(text);
  expect(format(...bytes)).toBe(text);
});

it('gives an empty text for an address that is neither', () => {
  expect(format()).toBe('');
});

it('writes every address so that it reads back as the same one', () => {
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (bytes) => {
      const text = format(...bytes);
      if (isIPv4(text)) return;
      expect(isIPv6(text)).toBe(true);
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      expect(readGroups(text)).toEqual(bytes);
    }),
  );
});

function readGroups(text: string): number[] {
  const [left = '', right] = text.split('::');
  const read = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  if (right === undefined) return groups(...read(left));
  const zeros = new Array<number>(8 - read(left).length - read(right).length).fill(0);
  return groups(...read(left), ...zeros, ...read(right));
}

it('keeps telling addresses apart when more peers come than are remembered', () => {
  for (let peer = 0; peer < 3000; peer++) {
    expect(format(10, 1, peer >> 8, peer & 0xff)).toBe(`10.1.${peer >> 8}.${peer & 0xff}`);
  }
});
