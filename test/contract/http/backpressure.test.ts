/** A client that does not read must cost bounded memory, and get every byte once it does. */
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import { request, startToyListener, until } from './start-toy-listener.ts';

const PIECE_BYTES = 64 * 1024;
const PIECES = 512;
const TOTAL_BYTES = PIECE_BYTES * PIECES;

interface Pump {
  given: number;
  stops: number;
}

/** Gives pieces until it is told to stop, and goes on when it is told that there is room again. */
function pump(exchange: ClientExchange, bodyLength: number | undefined): Pump {
  const state: Pump = { given: 0, stops: 0 };
  const give = (): void => {
    while (state.given < PIECES) {
      const piece = Buffer.alloc(PIECE_BYTES, state.given % 251);
      state.given++;
      const wantsMore = exchange.write(piece);
      // The buffer is only lent: whoever needs it later must have copied it.
      piece.fill(255);
      if (!wantsMore) {
        state.stops++;
        return;
      }
    }
    exchange.end();
  };
  exchange.events = { onAborted: () => undefined, onDrain: give };
  exchange.writeHead(200, [], bodyLength, true);
  give();
  return state;
}

async function readSlowly(port: number, path: string, state: () => Pump) {
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.write(request(`GET ${path}`, ['Connection: close']));
  await until('the answer is stopped', () => state().stops > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const givenWhileStopped = state().given * PIECE_BYTES;
  const chunks: Buffer[] = [];
  let hasEnded = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.resume();
  await until('the answer has ended', () => hasEnded);
  return { givenWhileStopped, received: Buffer.concat(chunks) };
}

function checkPattern(body: Buffer): void {
  expect(body.length).toBe(TOTAL_BYTES);
  for (let piece = 0; piece < PIECES; piece++) {
    const part = body.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
    expect(part.every((byte) => byte === piece % 251)).toBe(true);
  }
}

it('stops a measured answer until the client reads, and loses nothing', async () => {
  let state: Pump = { given: 0, stops: 0 };
  const toy = await startToyListener({
    '/': (exchange) => {
      state = pump(exchange, TOTAL_BYTES);
    },
  });
  const { givenWhileStopped, received } = await readSlowly(toy.port, '/', () => state);
  expect(givenWhileStopped).toBeLessThan(TOTAL_BYTES / 2);
  checkPattern(received.subarray(received.indexOf('\r\n\r\n') + 4));
});

it('stops a chunked answer until the client reads, and loses nothing', async () => {
  let state: Pump = { given: 0, stops: 0 };
  const toy = await startToyListener({
    '/': (exchange) => {
      setImmediate(() => {
        state = pump(exchange, undefined);
      });
    },
  });
  const { givenWhileStopped, received } = await readSlowly(toy.port, '/', () => state);
  expect(givenWhileStopped).toBeLessThan(TOTAL_BYTES / 2);
  checkPattern(joinChunks(received.subarray(received.indexOf('\r\n\r\n') + 4)));
});

function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

it('keeps a whole answer larger than any socket buffer for a slow client', async () => {
  const body = Buffer.alloc(16 * 1024 * 1024, 7);
  const toy = await startToyListener({ '/': (exchange) => exchange.send(200, [], body) });
  const socket = connect(toy.port, '127.0.0.1');
  socket.pause();
  socket.write(request('GET /', ['Connection: close']));
  await until('the request has arrived', () => toy.served.length === 1);
  let bytes = 0;
  let hasEnded = false;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.resume();
  await until('the answer has ended', () => hasEnded);
  expect(bytes).toBe(toy.exchanges[0]?.bytesSent);
});
