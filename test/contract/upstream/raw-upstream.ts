/** Upstreams that say exactly the bytes a test wants, request by request. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawUpstream {
  readonly port: number;
  /** Accepted connections, in order; closed ones too. */
  readonly sockets: readonly Socket[];
  /** Request heads received over all connections, in order. */
  readonly heads: readonly string[];
  stop(): Promise<void>;
}

/** What to do with one request. `requestNumber` counts over all connections, from 1. */
export type RawAnswer = (socket: Socket, requestNumber: number, head: string) => void;

const MAX_HEARD_BYTES = 262_144;

/**
 * Calls `answer` once for each request head (bodies are not looked at: heads are found by their empty line), and
 * `hear` after each read with everything the connection has sent so far, up to a bound.
 */
export async function startRawUpstream(
  answer: RawAnswer,
  hear: (socket: Socket, received: string) => void = () => undefined,
): Promise<RawUpstream> {
  const sockets: Socket[] = [];
  const heads: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    let received = '';
    let rest = '';
    socket.on('data', (chunk: Buffer) => {
      // Bulk is for tests of backpressure, which count for themselves.
      if (received.length + chunk.length > MAX_HEARD_BYTES) return;
      received += chunk.toString('latin1');
      rest += chunk.toString('latin1');
      hear(socket, received);
      for (let end = rest.indexOf('\r\n\r\n'); end >= 0; end = rest.indexOf('\r\n\r\n')) {
        const head = rest.slice(0, end + 4);
        rest = rest.slice(end + 4);
        if (!/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(head)) continue;
        heads.push(head);
        answer(socket, heads.length, head);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    heads,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port of loopback where nobody listens. */
export async function findClosedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
