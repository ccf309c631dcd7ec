/**
 * An upstream for tests, on a free port of loopback. It answers with what it received, and has special paths:
 *
 * - `/status/:code`          that status, with the echo as its body
 * - `/delay/:ms`             the echo, after so many milliseconds
 * - `/stream/:chunks`        `chunk 1\n`, `chunk 2\n`, … as a chunked answer, one a turn of the event loop
 * - `/bytes/:count`          so many bytes `x` with a Content-Length
 * - `/sse`                   three server-sent events
 * - `/close`                 promises 100 bytes, sends 10 and ends the connection
 * - `/headers?name=value`    the echo, with these response headers (a repeated name is sent repeatedly)
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/** What the upstream saw of a request, and the JSON body of its answer. */
export interface EchoedRequest {
  readonly method: string;
  /** The request target as received. */
  readonly url: string;
  readonly httpVersion: string;
  /** Header lines in order, names as received. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Upstream {
  /** http://127.0.0.1:port */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Requests whose head has arrived. */
  readonly requestCount: number;
  /** TCP connections accepted. */
  readonly connectionCount: number;
  /** The last request that arrived completely. */
  readonly lastRequest: EchoedRequest | undefined;
  /** Ends all connections and the server. */
  stop(): Promise<void>;
}

type Answer = (response: ServerResponse, echo: EchoedRequest, argument: string) => Promise<void> | void;

const ANSWERS: Readonly<Record<string, Answer>> = {
  status: (response, echo, code) => answerJson(response, Number(code), echo),
  delay: async (response, echo, delayMs) => {
    await delay(Number(delayMs));
    answerJson(response, 200, echo);
  },
  stream: async (response, _echo, chunks) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    for (let number = 1; number <= Number(chunks); number++) {
      response.write(`chunk ${number}\n`);
      await nextTurn();
    }
    response.end();
  },
  bytes: (response, _echo, count) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': Number(count) });
    response.end(Buffer.alloc(Number(count), 'x'));
  },
  sse: async (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    for (const event of ['one', 'two', 'three']) {
      response.write(`data: ${event}\n\n`);
      await nextTurn();
    }
    response.end();
  },
  close: (response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('x'.repeat(10), () => response.socket?.end());
  },
  headers: (response, echo) => {
    const wanted = new URL(echo.url, 'http://upstream').searchParams;
    for (const name of new Set(wanted.keys())) response.setHeader(name, wanted.getAll(name));
    answerJson(response, 200, echo);
  },
};

export async function startUpstream(): Promise<Upstream> {
  const counts = { requests: 0, connections: 0 };
  const sockets = new Set<Socket>();
  let lastRequest: EchoedRequest | undefined;

  const server = createServer((request, response) => {
    counts.requests++;
    readEcho(request)
      .then((echo) => {
        lastRequest = echo;
        const [, word = '', argument = ''] = echo.url.split(/[/?]/);
        const answer = ANSWERS[word];
        return answer === undefined ? answerJson(response, 200, echo) : answer(response, echo, argument);
      })
      // The client went away in the middle: there is nobody left to answer.
      .catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    counts.connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    get requestCount() {
      return counts.requests;
    },
    get connectionCount() {
      return counts.connections;
    },
    get lastRequest() {
      return lastRequest;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function readEcho(request: IncomingMessage): Promise<EchoedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers: [string, string][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    headers.push([request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? '']);
  }
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    httpVersion: request.httpVersion,
    headers,
    body: Buffer.concat(chunks).toString(),
  };
}

function answerJson(response: ServerResponse, status: number, echo: EchoedRequest): void {
  const body = JSON.stringify(echo);
  const hasBody = status >= 200 && status !== 204 && status !== 304;
  response.writeHead(status, hasBody ? { 'Content-Type': 'application/json' } : {});
  response.end(hasBody ? body : undefined);
}
