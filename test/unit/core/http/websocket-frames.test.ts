import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BINARY,
  CLOSE,
  FrameReader,
  PING,
  TEXT,
  writeClosePayload,
  writeMaskedFrame,
} from '../../../../core/http/websocket-frames.ts';

interface Heard {
  readonly messages: string[];
  readonly controls: string[];
  readonly isGood: boolean;
  readonly isAtBoundary: boolean;
}

/** Feeds bytes cut at these offsets and puts the pieces of messages together again. */
function read(bytes: Buffer, cuts: readonly number[] = []): Heard {
  const messages: string[] = [];
  const controls: string[] = [];
  let open: Buffer[] = [];
  const reader = new FrameReader({
    onPiece: (payload, isBinary, isFirst, isLast) => {
      if (isFirst !== (open.length === 0)) throw new Error('a message begins where none ends');
      open.push(Buffer.from(payload));
      if (!isLast) return;
      messages.push(`${isBinary ? 'binary' : 'text'} ${Buffer.concat(open).toString('latin1')}`);
      open = [];
    },
    onControl: (opcode, payload) => controls.push(`${opcode} ${payload.toString('latin1')}`),
  });
  const offsets = [0, ...new Set(cuts.map((cut) => cut % (bytes.length + 1))), bytes.length].sort(
    (a, b) => a - b,
  );
  let isGood = true;
  for (let at = 0; at + 1 < offsets.length && isGood; at++) {
    isGood = reader.feed(bytes.subarray(offsets[at], offsets[at + 1]));
  }
  return { messages, controls, isGood, isAtBoundary: reader.isAtBoundary };
}

function frame(opcode: number, payload: string | Buffer, isFin = true): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const { length } = bytes;
  const head =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255)];
  return Buffer.concat([Buffer.from([(isFin ? 0x80 : 0) | opcode, ...head]), bytes]);
}

describe('frames of a server', () => {
  it('are read the same wherever they are cut', () => {
    const message = fc.record({
      isBinary: fc.boolean(),
      pieces: fc.array(fc.string({ unit: 'binary-ascii', maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      ping: fc.option(fc.string({ unit: 'binary-ascii', maxLength: 125 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (sent, cuts) => {
          const bytes: Buffer[] = [];
          for (const { isBinary, pieces, ping } of sent) {
            for (const [at, piece] of pieces.entries()) {
              bytes.push(frame(at > 0 ? 0 : isBinary ? BINARY : TEXT, piece, at === pieces.length - 1));
              if (at === 0 && ping !== undefined) bytes.push(frame(PING, ping));
            }
          }
          expect(read(Buffer.concat(bytes), cuts)).toEqual({
            messages: sent.map(
              ({ isBinary, pieces }) => `${isBinary ? 'binary' : 'text'} ${pieces.join('')}`,
            ),
            controls: sent.flatMap(({ ping }) => (ping === undefined ? [] : [`${PING} ${ping}`])),
            isGood: true,
            isAtBoundary: true,
          });
        },
      ),
    );
  });

  it('may be longer than a length of two bytes tells', () => {
    const text = 'x'.repeat(70_000);
    expect(read(frame(TEXT, text), [1, 5, 9, 10, 11, 40_000]).messages).toEqual([`text ${text}`]);
  });

  it.each([
    ['a masked one', Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ['a reserved bit', Buffer.from([0xc1, 0])],
    ['a reserved opcode', Buffer.from([0x83, 0])],
    ['a control frame in pieces', Buffer.from([0x09, 0])],
    ['a control frame that is too long', Buffer.from([0x89, 126, 0, 126])],
    ['a continuation of nothing', Buffer.from([0x80, 0])],
    ['a message within a message', Buffer.concat([frame(TEXT, 'a', false), frame(TEXT, 'b')])],
    ['a length nobody can count', Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255])],
  ])('end the reading: %s', (_, bytes) => {
    expect(read(bytes).isGood).toBe(false);
    expect(
      read(
        bytes,
        Array.from(bytes, (__, at) => at),
      ).isGood,
    ).toBe(false);
  });

  it('are read from noise without throwing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void read(Buffer.from(noise))));
  });

  it('know when one of our own may follow', () => {
    expect(read(frame(TEXT, 'hello').subarray(0, 4)).isAtBoundary).toBe(false);
    expect(read(frame(TEXT, 'hello').subarray(0, 1)).isAtBoundary).toBe(false);
    expect(read(frame(TEXT, 'hello', false)).isAtBoundary).toBe(true);
  });
});

describe('frames for a server', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])('are masked, and tell a length of %i', (length) => {
    const payload = Buffer.alloc(length, 'abc');
    const written = writeMaskedFrame(TEXT, payload);
    const start = length > 65_535 ? 14 : length > 125 ? 8 : 6;
    expect(written.length).toBe(start + length);
    expect((written[1] as number) & 0x80).toBe(0x80);
    const mask = written.subarray(start - 4, start);
    const unmasked = written.subarray(start).map((byte, at) => byte ^ (mask[at & 3] as number));
    expect(Buffer.from(unmasked).equals(payload)).toBe(true);
  });

  it('close with a code and a reason, or with neither', () => {
    expect(read(frame(CLOSE, writeClosePayload(1000, 'ok'))).controls).toEqual([`${CLOSE} \x03\xe8ok`]);
    expect(writeClosePayload(undefined)).toHaveLength(0);
  });
});
