/** A client that does not read must cost bounded memory, and get every byte once it does. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import { INGRESSES, request, startToyListener, until } from './start-toy-listener.ts';

describe.each(INGRESSES)('the %s ingress', async (ingress) => {
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
    const toy = await startToyListener(ingress, {
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
    const toy = await startToyListener(ingress, {
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
    const toy = await startToyListener(ingress, { '/': (exchange) => exchange.send(200, [], body) });
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

  // The other one can tell where chunks end, and keeps the connection.
  describe.runIf(ingress === 'fast')('a slow client that sent its request in chunks', () => {
    const big = Buffer.alloc(TOTAL_BYTES, 7);
    const ask = request('POST /', ['Transfer-Encoding: chunked'], '0\r\n\r\n');
    const ways = [
      ['in one go', (exchange: ClientExchange) => exchange.send(200, [], big)],
      ['with a known length', (exchange: ClientExchange) => void pump(exchange, TOTAL_BYTES)],
      ['in chunks', (exchange: ClientExchange) => void pump(exchange, undefined)],
    ] as const;

    it.each(ways)(
      'gets every byte of an answer %s, and then the end of the connection',
      async (_, answer) => {
        const toy = await startToyListener(ingress, { '/': answer });
        const socket = connect(toy.port, '127.0.0.1');
        socket.pause();
        socket.write(ask);
        await until('the request has arrived', () => toy.served.length === 1);
        await new Promise((resolve) => setTimeout(resolve, 50));
        const chunks: Buffer[] = [];
        let hasEnded = false;
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => {
          hasEnded = true;
        });
        socket.resume();
        await until('the connection has ended', () => hasEnded);
        const received = Buffer.concat(chunks);
        expect(joinChunks(received.subarray(received.indexOf('\r\n\r\n') + 4))).toHaveLength(TOTAL_BYTES);
        expect(toy.exchanges[0]?.bytesSent).toBe(received.length);
      },
    );

    it.each(ways)('cannot have another request served behind an answer %s', async (_, answer) => {
      const toy = await startToyListener(ingress, { '/': answer });
      const socket = connect(toy.port, '127.0.0.1');
      let hasClosed = false;
      socket.on('error', () => undefined);
      socket.on('close', () => {
        hasClosed = true;
      });
      socket.pause();
      socket.write(ask);
      await until('the request has arrived', () => toy.served.length === 1);
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (!socket.destroyed) socket.write(request('GET /smuggled'));
      }
      socket.resume();
      await until('the connection has ended', () => hasClosed);
      expect(toy.served).toEqual(['POST /']);
    });
  });

  it('keeps a paused upload paused while the answer waits for the client', async () => {
    const total = 48 * 1024 * 1024;
    const toy = await startToyListener(ingress, {
      '/': (exchange) => {
        exchange.writeHead(200, [], undefined, true);
        exchange.body?.startReading({ onChunk: () => false, onEnd: () => undefined });
        setTimeout(() => exchange.write(Buffer.alloc(TOTAL_BYTES)), 50);
      },
    });
    const socket = connect(toy.port, '127.0.0.1');
    socket.pause();
    socket.write(request('POST /', [`Content-Length: ${total}`]));
    socket.write(Buffer.alloc(total));
    await until('the answer is on its way', () => (toy.exchanges[0]?.bytesSent ?? 0) > 1000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(toy.exchanges[0]?.body?.bytesReceived).toBeLessThan(total / 4);
    socket.destroy();
  });
});
