/** Small changes to known inputs, the same for the same seed. */

const WORDS = [
  ...[
    '\r\n',
    '\r',
    '\n',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '0\r\n\r\n',
    '-1',
    '+5',
    '0x5',
    'ffffffffffffff',
  ],
  ...[
    'HTTP/1.1 ',
    'HTTP/1.0 ',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 X\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
  ],
  ...[
    'Content-Length: ',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Keep-Alive: timeout=1\r\n',
    'X: y\r\n',
    ' folded\r\n',
  ],
].map((word) => Buffer.from(word, 'latin1'));

const MAX_BYTES = 4096;
const MAX_CHANGES = 4;
const NOTHING = Buffer.alloc(0);

export function createMutator(seed: number): (corpus: readonly Buffer[]) => Buffer {
  const random = createRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;

  const changeOnce = (input: Buffer, corpus: readonly Buffer[]): Buffer => {
    const at = random(input.length + 1);
    const length = random(16);
    const splice = (removed: number, inserted: Buffer) =>
      Buffer.concat([input.subarray(0, at), inserted, input.subarray(at + removed)]);
    switch (random(6)) {
      case 0:
        return splice(1, Buffer.from([random(256)]));
      case 1:
        return splice(0, pick(WORDS));
      case 2:
        return splice(length, NOTHING);
      case 3:
        return splice(0, input.subarray(at, at + length * 8));
      case 4:
        return splice(length, pick(WORDS));
      default:
        return Buffer.concat([input.subarray(0, at), pick(corpus).subarray(random(64))]);
    }
  };

  return (corpus) => {
    let input = pick(corpus);
    for (let changes = 1 + random(MAX_CHANGES); changes > 0; changes--) input = changeOnce(input, corpus);
    return input.subarray(0, MAX_BYTES);
  };
}

/** Mulberry32: whole numbers below a bound. */
function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
