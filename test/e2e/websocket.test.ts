/** WebSockets through the gateway: contract/proxy.md section 7.5, on both ingresses. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { findFreePort } from '../support/free-port.ts';
import { pollUntil } from '../support/poll-until.ts';
import { exchangeBytes, exchangeRaw } from '../support/raw-http.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HOST = 'socket.test';
const GUARDED = 'guarded.test';
const IMPATIENT = 'impatient.test';

interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
}

/** What the service has agreed to, in order. */
const accepted: Handshake[] = [];
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  handleProtocols: (offered) => [...offered].at(-1) ?? false,
});
const service = createServer((_, response) => response.writeHead(200).end('plain'));
service.on('upgrade', (request, socket, early) => {
  if (request.url?.includes('refuse')) {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nnot you');
  } else if (request.url?.includes('elsewhere')) {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
  } else if (request.url?.includes('nonsense')) {
    sockets.handleUpgrade(request, socket, early, () => socket.write(Buffer.from([0xff, 0xff, 0xff])));
  } else {
    sockets.handleUpgrade(request, socket, early, (opened) => {
      accepted.push({ request, socket: opened });
      opened.on('error', () => {});
      if (request.url?.includes('echo'))
        opened.on('message', (data, isBinary) => opened.send(data, { binary: isBinary }));
    });
  }
});

const ports = { default: await findFreePort(), strict: await findFreePort() };
const tlsPort = await findFreePort();
let proxy: ProxyUnderTest;
beforeAll(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const { port } = service.address() as AddressInfo;
  proxy = await startProxy({
    TOLLGATE_PROXY_LISTEN: `127.0.0.1:${ports.default}, 127.0.0.1:${ports.strict} strict, 127.0.0.1:${tlsPort} ssl http2`,
    TOLLGATE_SHUTDOWN_TIMEOUT: '5',
  });
  await proxy.expose({ port }, { hosts: [HOST], paths: ['/ws'] });
  await proxy.expose({ port, read_timeout: 600 }, { hosts: [IMPATIENT] });
  const { routeId } = await proxy.expose({ port }, { hosts: [GUARDED] });
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
  await proxy.write('POST', '/consumers', { username: 'ada' });
  await proxy.write('POST', '/consumers/ada/key-auth', { key: 'key-of-ada' });
  await proxy.write('POST', '/plugins', { name: 'cors', config: { origins: ['http://page.test'] } });
  await proxy.write('POST', '/plugins', { name: 'prometheus', config: { status_code_metrics: true } });
});
afterAll(async () => {
  await proxy.stop();
  sockets.close();
  for (const { socket } of accepted) socket.terminate();
  service.closeAllConnections();
  service.close();
});

describe.each(['default', 'strict'] as const)('on the %s ingress', (kind) => {
  const port = ports[kind];

  function openSocket(
    path = '/ws/echo',
    options: { host?: string; protocols?: string[]; headers?: Record<string, string> } = {},
  ): WebSocket {
    const { host = HOST, protocols = [], headers = {} } = options;
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
      headers: { Host: host, ...headers },
    });
    socket.on('error', () => {});
    onTestFinished(() => socket.terminate());
    return socket;
  }

  async function connected(...given: Parameters<typeof openSocket>) {
    const before = accepted.length;
    const socket = openSocket(...given);
    const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
    await pollUntil(
      'the service has agreed',
      () => accepted.length,
      (count) => count > before,
    );
    const peer = accepted.at(-1) as Handshake;
    if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
    return { socket, response, peer };
  }

  async function refusalOf(...given: Parameters<typeof openSocket>) {
    const [, response] = (await once(openSocket(...given), 'unexpected-response')) as [
      unknown,
      IncomingMessage,
    ];
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, headers: response.headers, body };
  }

  const closeOf = async (socket: WebSocket): Promise<readonly [number, string]> => {
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    return [code, reason.toString()];
  };

  it('a handshake arrives as the client meant it, and the answer says by whom it came', async () => {
    const { response, peer, socket } = await connected('/ws/chat?room=1', {
      protocols: ['v1', 'v2'],
      headers: { Origin: 'http://page.test', Cookie: 'a=b' },
    });
    const { headers, url } = peer.request;
    expect(url).toBe('/chat?room=1');
    expect(headers).toMatchObject({ upgrade: 'websocket', connection: 'keep-alive, Upgrade', cookie: 'a=b' });
    expect(headers).toMatchObject({ 'sec-websocket-version': '13', 'sec-websocket-protocol': 'v1,v2' });
    expect(headers).toMatchObject({
      'x-forwarded-host': HOST,
      'x-forwarded-prefix': '/ws',
      'x-real-ip': '127.0.0.1',
    });
    expect(socket.protocol).toBe('v2');
    expect(response.headers['via']).toMatch(/^1\.1 tollgate\//);
    expect(response.headers['x-kong-proxy-latency']).toMatch(/^\d+$/);
    expect(response.headers['access-control-allow-origin']).toBe('http://page.test');
  });

  it('messages pass both ways, text and binary, empty and large', async () => {
    const { socket } = await connected();
    const messages = [
      '',
      'hello',
      'čau ☃',
      'x'.repeat(70_000),
      Buffer.from([0, 1, 255]),
      Buffer.alloc(5_000_000, 7),
    ];
    for (const message of messages) {
      socket.send(message);
      const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
      expect(isBinary).toBe(typeof message !== 'string');
      expect(data.equals(Buffer.from(message as string))).toBe(true);
    }
  });

  it('messages in pieces arrive whole, in either direction', async () => {
    const { socket, peer } = await connected('/ws/pieces');
    for (const [from, to] of [
      [socket, peer.socket],
      [peer.socket, socket],
    ] as const) {
      for (const piece of ['one ', 'two ', '']) from.send(piece, { fin: piece === '' });
      const [data] = (await once(to, 'message')) as [Buffer];
      expect(data.toString()).toBe('one two ');
    }
  });

  it('many messages keep their order', async () => {
    const { socket } = await connected();
    const received: string[] = [];
    socket.on('message', (data) => received.push(String(data)));
    const sent = Array.from({ length: 2000 }, (_, number) => `${number} ${'y'.repeat(number % 300)}`);
    for (const message of sent) socket.send(message);
    await pollUntil(
      'all messages',
      () => received.length,
      (count) => count === sent.length,
    );
    expect(received).toEqual(sent);
  });

  it('pings are answered, of the client and of the service', async () => {
    const { socket, peer } = await connected('/ws/ping');
    socket.ping('from the client');
    expect(String((await once(socket, 'pong'))[0])).toBe('from the client');
    peer.socket.ping('from the service');
    expect(String((await once(peer.socket, 'pong'))[0])).toBe('from the service');
  });

  it.each([
    [1000, ''],
    [1000, 'done'],
    [4001, 'of my own'],
    [1001, 'going'],
  ])('a close with %i and "%s" passes both ways', async (code, reason) => {
    const first = await connected('/ws/close');
    const heard = closeOf(first.peer.socket);
    first.socket.close(code, reason);
    expect(await heard).toEqual([code, reason]);
    const second = await connected('/ws/close');
    const told = closeOf(second.socket);
    second.peer.socket.close(code, reason);
    expect(await told).toEqual([code, reason]);
  });

  it('a close without a code is one, and a lost connection is a lost connection', async () => {
    const silent = await connected('/ws/close');
    const heard = closeOf(silent.peer.socket);
    silent.socket.close();
    expect((await heard)[0]).toBe(1005);
    const cut = await connected('/ws/close');
    const told = closeOf(cut.socket);
    cut.peer.socket.terminate();
    expect((await told)[0]).toBe(1006);
    const left = await connected('/ws/close');
    const noticed = closeOf(left.peer.socket);
    left.socket.terminate();
    expect((await noticed)[0]).toBe(1006);
  });

  it('plugins decide about the handshake', async () => {
    expect(await refusalOf('/echo', { host: GUARDED })).toMatchObject({ status: 401 });
    const { peer } = await connected('/echo', { host: GUARDED, headers: { apikey: 'key-of-ada' } });
    expect(peer.request.headers['x-consumer-username']).toBe('ada');
    expect(await refusalOf('/echo', { host: 'nobody.test' })).toMatchObject({ status: 404 });
  });

  it('the refusal of a service is passed on', async () => {
    const { status, body } = await refusalOf('/ws/refuse');
    expect([status, body]).toEqual([403, 'not you']);
  });

  it('a service that switches to something else is a bad one', async () => {
    expect(await refusalOf('/ws/elsewhere')).toMatchObject({ status: 502 });
  });

  it('silence ends it after read_timeout, words of either side do not', async () => {
    const { socket } = await connected('/echo', { host: IMPATIENT });
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      socket.send('still here');
    }
    expect(isClosed).toBe(false);
    await pollUntil(
      'the silent one is closed',
      () => isClosed,
      (closed) => closed,
    );
  });

  it('a client that does not read stops the service, and gets everything in the end', async () => {
    const { socket, peer } = await connected('/ws/flood');
    const chunk = randomBytes(256 * 1024);
    socket.pause();
    for (let sent = 0; sent < 128; sent++) peer.socket.send(chunk);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(peer.socket.bufferedAmount).toBeGreaterThan(8 * 1024 * 1024);
    let bytes = 0;
    socket.on('message', (data: Buffer) => {
      bytes += data.length;
    });
    socket.resume();
    await pollUntil(
      'all bytes',
      () => bytes,
      (count) => count === 128 * chunk.length,
    );
  });

  it('a service that does not read gets everything in the end', async () => {
    const { socket, peer } = await connected('/ws/flood');
    const chunk = randomBytes(256 * 1024);
    peer.socket.pause();
    const rounds = kind === 'strict' ? 128 : 32;
    for (let sent = 0; sent < rounds; sent++) socket.send(chunk);
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (kind === 'strict') expect(socket.bufferedAmount).toBeGreaterThan(8 * 1024 * 1024);
    let bytes = 0;
    peer.socket.on('message', (data: Buffer) => {
      bytes += data.length;
    });
    peer.socket.resume();
    await pollUntil(
      'all bytes',
      () => bytes,
      (count) => count === rounds * chunk.length,
    );
  });

  const handshake = (...lines: readonly string[]): string =>
    `${['GET /ws/echo HTTP/1.1', `Host: ${HOST}`, ...lines].join('\r\n')}\r\n\r\n`;
  const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
  const VERSION = 'Sec-WebSocket-Version: 13';
  const SMUGGLED = `GET /ws/smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

  it.each([
    ['no key', handshake(...UPGRADE, VERSION), 400],
    ['an empty key', handshake(...UPGRADE, VERSION, 'Sec-WebSocket-Key:'), 400],
    ['a short key', handshake(...UPGRADE, VERSION, 'Sec-WebSocket-Key: abc='), 400],
    ['a key of other letters', handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${'*'.repeat(24)}`), 400],
    [
      'two keys',
      handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${KEY}`, `Sec-WebSocket-Key: ${KEY}`),
      400,
    ],
    ['no version', handshake(...UPGRADE, `Sec-WebSocket-Key: ${KEY}`), 426],
    ['an old version', handshake(...UPGRADE, 'Sec-WebSocket-Version: 8', `Sec-WebSocket-Key: ${KEY}`), 426],
    [
      'a body',
      handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${KEY}`, `Content-Length: ${SMUGGLED.length}`) +
        SMUGGLED,
      400,
    ],
    [
      'a body in chunks',
      `${handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${KEY}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${SMUGGLED}`,
      400,
    ],
  ])('a handshake with %s is refused, and nothing behind it is heard', async (_, bytes, status) => {
    const before = accepted.length;
    const { responses, hasClosed } = await exchangeRaw(port, bytes, { quietMs: 7000 });
    const statuses = responses.map((response) => response.status);
    // What follows chunks ends the connection on the default ingress, before there can be an answer.
    if (kind === 'strict' || !bytes.includes('chunked')) expect(statuses).toEqual([status]);
    expect(hasClosed).toBe(true);
    if (status === 426) expect(responses[0]?.headers).toContainEqual(['sec-websocket-version', '13']);
    expect(accepted.length).toBe(before);
  });

  it.each([
    ['another protocol', handshake('Connection: Upgrade, close', 'Upgrade: h2c')],
    [
      'an Upgrade that Connection does not name',
      handshake('Connection: close', 'Upgrade: websocket', VERSION),
    ],
    [
      'another method',
      handshake(
        'Connection: Upgrade, close',
        'Upgrade: websocket',
        VERSION,
        `Sec-WebSocket-Key: ${KEY}`,
      ).replace('GET', 'OPTIONS'),
    ],
  ])('a request for %s is an ordinary one', async (_, bytes) => {
    const { responses } = await exchangeRaw(port, bytes);
    expect(responses[0]).toMatchObject({ status: 200, body: 'plain' });
  });

  it('bytes behind a handshake are frames or nothing, never a request', async () => {
    const good = handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${KEY}`);
    const { received } = await exchangeBytes(port, [good + SMUGGLED], { quietMs: 500 });
    expect(received).not.toContain('plain');
    const masked = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]).toString('latin1');
    const early = await exchangeBytes(port, [good + masked], { quietMs: 500 });
    if (kind === 'strict') expect(early.received).toContain('\x81\x02hi');
  });

  it('a service that sends no frames does not keep the client', async () => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => {});
    socket.write(handshake(...UPGRADE, VERSION, `Sec-WebSocket-Key: ${KEY}`).replace('/echo', '/nonsense'));
    socket.resume();
    if (kind === 'default')
      await pollUntil(
        'it is closed',
        () => isClosed,
        (closed) => closed,
      );
  });

  it('is counted when it ends', async () => {
    const read = async (): Promise<number> => {
      const text = await (await fetch(`${proxy.gateway.statusUrl}/metrics`)).text();
      const lines = text.split('\n').filter((line) => /^kong_http_requests_total\{.*code="101"/.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const before = await read();
    const { socket } = await connected();
    socket.close();
    await once(socket, 'close');
    await pollUntil('one more', read, (count) => count > before);
  });
});

it('passes over TLS, where HTTP/2 could be chosen too', async () => {
  const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/ws/echo`, {
    headers: { Host: HOST },
    rejectUnauthorized: false,
  });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send('over TLS');
  expect(String((await once(socket, 'message'))[0])).toBe('over TLS');
  expect(accepted.at(-1)?.request.headers['x-forwarded-proto']).toBe('https');
});

it('asks clients to leave with 1001 when the gateway stops, and their services hear of it', async () => {
  const before = accepted.length;
  const clients = Object.values(ports).map(
    (port) => new WebSocket(`ws://127.0.0.1:${port}/ws/last`, { headers: { Host: HOST } }),
  );
  await Promise.all(clients.map((client) => once(client, 'open')));
  const services = accepted.slice(before).map(({ socket }) => socket);
  const closes = [...clients, ...services].map(async (socket) => (await once(socket, 'close'))[0]);
  await proxy.gateway.stop();
  expect(await Promise.all(closes)).toEqual([1001, 1001, 1001, 1001]);
});
