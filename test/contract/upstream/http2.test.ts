/** Upstreams that speak HTTP/2, and what they must not be able to do to a worker that carries others' requests too. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, expect, it } from 'vitest';
import { createUpstreamClient } from '../../../core/upstream/forward.ts';
import { forwardOnce, originAt, requestTo } from './forward-once.ts';

const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PUSH_PROMISE = 5;
const GOAWAY = 7;
const END_STREAM = 1;
const END_HEADERS = 4;
const ENDS = END_STREAM | END_HEADERS;

const client = createUpstreamClient();
let server: Server | undefined;
const sockets = new Set<Socket>();
afterAll(() => client.close());
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server?.close();
});

function frame(type: number, flags: number, stream: number, payload = ''): string {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head.toString('latin1') + payload;
}

/** Headers without any compression; none is longer than 126 bytes. */
function fields(...pairs: readonly (readonly [name: string, value: string])[]): string {
  const text = (value: string) => String.fromCharCode(value.length) + value;
  return pairs.map(([name, value]) => `\0${text(name)}${text(value)}`).join('');
}

const GOOD = fields([':status', '200']);
const PUSHED = `\0\0\0\x02${fields([':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'a'])}`;

/** Answers a first request with these bytes and later ones well, on whatever connection they come. */
async function startOnceBad(answer: (stream: number) => string): Promise<number> {
  let requests = 0;
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(frame(SETTINGS, 0, 0), 'latin1');
    let received = Buffer.alloc(0);
    let at = PREFACE_BYTES;
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= at + FRAME_HEAD_BYTES) {
        const stream = received.readUInt32BE(at + 5);
        if (received[at + 3] === HEADERS) {
          const good = frame(HEADERS, END_HEADERS, stream, GOOD) + frame(DATA, END_STREAM, stream, 'good');
          socket.write(requests++ === 0 ? answer(stream) : good, 'latin1');
        }
        at += FRAME_HEAD_BYTES + received.readUIntBE(at, 3);
      }
    });
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as { readonly port: number }).port;
}

it.each<readonly [title: string, answer: (stream: number) => string]>([
  ['bytes that are no frames', () => 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
  ['a reset', (stream) => frame(RST_STREAM, 0, stream, '\0\0\0\x02')],
  ['a farewell that has not seen the request', () => frame(GOAWAY, 0, 0, '\0\0\0\0\0\0\0\x0b')],
  ['no status', (stream) => frame(HEADERS, ENDS, stream, fields(['a', 'b']))],
  ['a status that is no number', (stream) => frame(HEADERS, ENDS, stream, fields([':status', 'ok']))],
  ['a status of 101', (stream) => frame(HEADERS, ENDS, stream, fields([':status', '101']))],
  ['a body before its head', (stream) => frame(DATA, END_STREAM, stream, 'hello')],
  ['a header of HTTP/1', (stream) => frame(HEADERS, ENDS, stream, GOOD + fields(['connection', 'close']))],
  [
    'something pushed, and then what breaks the connection',
    (stream) =>
      frame(PUSH_PROMISE, END_HEADERS, stream, PUSHED) +
      frame(HEADERS, END_HEADERS, 2, GOOD) +
      frame(DATA, 0, 99, 'x'),
  ],
])('is a bad one when it answers with %s, and the next request is served', async (_title, answer) => {
  const port = await startOnceBad(answer);
  const request = requestTo(port, { origin: originAt(port, { speaksHttp2: true }) });
  const bad = await forwardOnce(client, request);
  expect(bad.error).toMatchObject({ status: 502 });
  expect(bad.head).toBeUndefined();
  const next = await forwardOnce(client, request);
  expect(next).toMatchObject({ error: undefined, body: 'good', head: { status: 200 } });
});
