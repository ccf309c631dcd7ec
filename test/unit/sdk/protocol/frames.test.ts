/** The wire: whatever is in a payload, frames come out as they went in, and what is no frame is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrames, encodeFrame, type Frame } from '../../../../sdk/protocol/frames.ts';
import {
  decodeTake,
  decodeUses,
  decodeValue,
  encodeHostCall,
  encodeTake,
  encodeValue,
} from '../../../../sdk/protocol/host-call.ts';

const frame = fc.record({
  kind: fc.constantFrom('A', 'R', 'L', 'H', 'X'),
  id: fc.nat(),
  payload: fc.string({ unit: fc.constantFrom('A', ' ', '1', '\n', '\0', '\ud800', 'é') }),
});

function decode(text: string, start = 0): Frame[] {
  const frames: Frame[] = [];
  decodeFrames(text, start, (kind, id, payload) => frames.push({ kind, id, payload }));
  return frames;
}

describe('frames', () => {
  it('come out as they went in, behind any prefix', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.string(), (frames, prefix) => {
        const text = prefix + frames.map(({ kind, id, payload }) => encodeFrame(kind, id, payload)).join('');
        expect(decode(text, prefix.length)).toEqual(frames);
      }),
    );
  });

  it('are refused when cut off anywhere but between two', () => {
    fc.assert(
      fc.property(frame, fc.nat(), ({ kind, id, payload }, cut) => {
        const text = encodeFrame(kind, id, payload);
        expect(() => decode(text.slice(0, 1 + (cut % (text.length - 1))))).toThrow(RangeError);
      }),
    );
  });

  it.each(['x', 'A 1\n', 'A x 1\na', 'A 1 -1\n', 'A 1 1.5\nab', 'A 1 x\na', 'A\n1 1\na', 'A 1 9\na'])(
    'are refused with a RangeError: %j',
    (text) => {
      expect(() => decode(text)).toThrow(RangeError);
    },
  );

  it('are either decoded or refused with a RangeError, whatever the text', () => {
    const text = fc.string({ unit: fc.constantFrom('A', ' ', '1', '0', '\n', '-', '.') });
    fc.assert(
      fc.property(text, (hostile) => {
        try {
          decode(hostile);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('host calls', () => {
  it('carry text as it is and everything else as JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue()), (value) => {
        expect(decodeValue(encodeValue(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(decodeValue(encodeValue(undefined))).toBeNull();
    expect(encodeHostCall(7, 'entities.find', 'a\nb')).toBe('7\nentities.find\nta\nb');
  });

  it.each(['', 'x', 'j{', 'j'])('refuse a value that is neither: %j', (text) => {
    expect(() => decodeValue(text)).toThrow(SyntaxError);
  });

  it('carry windows and uses', () => {
    const key = fc.string().filter((text) => !text.includes('\n'));
    const window = fc.record({ key, limit: fc.nat(), expiresAtMs: fc.nat() });
    fc.assert(
      fc.property(fc.array(window), fc.nat(), (windows, cost) => {
        expect(decodeTake(encodeTake(windows, cost))).toEqual({ cost, windows });
      }),
    );
    expect(decodeUses('1,0,3')).toEqual([1, 0, 3]);
    expect(() => encodeTake([{ key: 'a\nb', limit: 1, expiresAtMs: 1 }], 1)).toThrow(TypeError);
  });
});
