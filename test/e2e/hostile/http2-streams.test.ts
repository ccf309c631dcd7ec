/** Hundreds of clients that speak broken HTTP/2 and hang up: none ends a worker, and none leaves its connection behind. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFreePort } from '../../support/free-port.ts';
import { pollUntil } from '../../support/poll-until.ts';
import { startGateway } from '../../support/start-gateway.ts';
import { startUpstream } from '../../support/start-upstream.ts';
import { type ProxyUnderTest, proxyOf } from '../support/start-proxy.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const CLIENTS = 600;
const AT_ONCE = 24;
/** Of frames; RFC 9113 section 6. */
const [DATA, HEADERS, RESET, SETTINGS, GOAWAY, WINDOW_UPDATE] = [0, 1, 3, 4, 7, 8] as const;

let proxy: ProxyUnderTest;
let port: number;
let host: string;

beforeAll(async () => {
  port = await findFreePort();
  const upstream = await startUpstream();
  const env = { TOLLGATE_CLIENT_TIMEOUT: '1', TOLLGATE_CLIENT_KEEPALIVE_TIMEOUT: '4' };
  proxy = proxyOf(await startGateway({ env, listeners: [`127.0.0.1:${port} http2`] }), upstream);
  ({ host } = await proxy.expose());
});
afterAll(() => proxy?.stop());

/** The same numbers in every run. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % sides;
  };
}

function frame(type: number, flags: number, stream: number, payload = ''): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload, 'latin1')]);
}

/** Literal fields without indexing, which every decoder has to take. */
const headerBlock = (fields: readonly (readonly [string, string])[]): string =>
  fields
    .map(([name, value]) =>
      ['\0', String.fromCharCode(name.length), name, String.fromCharCode(value.length), value].join(''),
    )
    .join('');

function writeClient(roll: (sides: number) => number): Buffer {
  const parts = [Buffer.from(PREFACE), frame(SETTINGS, 0, 0)];
  let next = 1;
  const request = () => {
    const hasBody = roll(2) === 1;
    const fields: (readonly [string, string])[] = [
      [':method', hasBody ? 'POST' : 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', host],
    ];
    if (roll(3) === 0) fields.push(['content-length', String(roll(20))]);
    parts.push(frame(HEADERS, hasBody ? 4 : 5, next, headerBlock(fields)));
    if (hasBody && roll(2) === 0) parts.push(frame(DATA, roll(2), next, 'x'.repeat(roll(20))));
    next += 2;
  };
  const mischief = [
    () => parts.push(frame(RESET, 0, 1 + 2 * roll(6), '\0\0\0\x08')),
    () => parts.push(frame(WINDOW_UPDATE, 0, roll(8), `\0\0\0${String.fromCharCode(roll(255))}`)),
    () => parts.push(frame(DATA, roll(2), 1 + 2 * roll(6), 'y'.repeat(roll(50)))),
    () => parts.push(frame(HEADERS, 5, 1 + 2 * roll(6), headerBlock([['t', '1']]))),
    () => parts.push(frame(GOAWAY, 0, 0, '\0'.repeat(8))),
    () => parts.push(frame(roll(12), roll(256), roll(12), 'z'.repeat(roll(30)))),
  ];
  request();
  for (let step = roll(10); step >= 0; step--) {
    if (roll(2) === 0) request();
    else mischief[roll(mischief.length)]?.();
  }
  return Buffer.concat(parts);
}

function sendAndHangUp(bytes: Buffer, afterMs: number, politely: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => {}).on('data', () => {});
    socket.once('close', () => resolve());
    setTimeout(() => (politely ? socket.end() : socket.destroy()), afterMs);
    setTimeout(() => socket.destroy(), 1500);
  });
}

it('broken HTTP/2 ends no worker and leaves no connection behind', async () => {
  const roll = createDice(20_261_126);
  const { pids } = await proxy.write('GET', '/');
  for (let client = 0; client < CLIENTS; client += AT_ONCE) {
    const group = Array.from({ length: AT_ONCE }, () =>
      sendAndHangUp(writeClient(roll), roll(120), roll(2) === 0),
    );
    await Promise.all(group);
  }
  await pollUntil(
    'the connections to go',
    async () => (await fetch(`${proxy.gateway.statusUrl}/status`)).json() as Promise<Status>,
    ({ server }) => server.connections_active === 0,
  );
  expect((await proxy.write('GET', '/')).pids).toEqual(pids);
  expect(proxy.gateway.output()).not.toMatch(/a worker ended|the data plane ended/);
}, 120_000);

interface Status {
  readonly server: { readonly connections_active: number };
}
