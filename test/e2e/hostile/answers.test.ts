/** Services that answer with what no service should: 502, and nothing of it ever reaches the next client. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRawUpstream } from '../../contract/upstream/raw-upstream.ts';
import { exchangeRaw } from '../../support/raw-http.ts';
import { type HostileProxy, INGRESSES, startHostileProxy } from './hostile-proxy.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const GOOD = `${OK}Content-Length: 4\r\n\r\ngood`;
const EVIL = `${OK}Content-Length: 4\r\n\r\nevil`;

let proxy: HostileProxy;
beforeAll(async () => {
  proxy = await startHostileProxy();
});
afterAll(() => proxy.stop());

/** Answers of which nothing may be passed on. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['two lengths', `${OK}Content-Length: 4\r\nContent-Length: 5\r\n\r\nevil`],
  ['the same length twice', `${OK}Content-Length: 4\r\nContent-Length: 4\r\n\r\nevil`],
  ['a length and chunks', `${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a signed length', `${OK}Content-Length: +4\r\n\r\nevil`],
  ['another transfer coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['surplus bytes', `${EVIL}more`],
  ['a second answer', `${OK}Content-Length: 0\r\n\r\n${EVIL}`],
  ['a second answer behind a 204', `HTTP/1.1 204 No Content\r\n\r\n${EVIL}`],
  ['a split header', `${OK}Location: /\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n`],
  ['a header line split by LF', `${OK}Location: /\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n`],
  ['a folded header', `${OK}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
  ['a blank before the colon', `${OK}Content-Length : 4\r\n\r\nevil`],
  ['a NUL in a header', `${OK}X: a\0b\r\nContent-Length: 0\r\n\r\n`],
  ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['a flood of interim answers', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(50_000)],
  ['an interim answer with a body', 'HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\nevil'],
  ['a head without an end', `${OK}${'X-Filler: filler filler\r\n'.repeat(20_000)}`],
  ['a header of 200 KB', `${OK}X: ${'x'.repeat(200_000)}\r\nContent-Length: 0\r\n\r\n`],
  ['a thousand headers', `${OK}${'X: y\r\n'.repeat(1000)}Content-Length: 0\r\n\r\n`],
  ['another protocol', '220 mail.test ESMTP\r\n'],
  ['another version', 'HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['no number for a status', 'HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n'],
  ['nothing but a body', 'evil'],
];

/** Answers whose head is good: the client is cut off where they end. */
const CUT: readonly (readonly [string, string, boolean])[] = [
  ['a close within the body', `${OK}Content-Length: 9\r\n\r\nevil`, true],
  ['a close within chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n`, true],
  ['a bad chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nevil\r\nzz\r\n`, false],
  ['chunk data that is too long', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nevilevil\r\n0\r\n\r\n`, false],
  ['trailers that are an answer', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n${EVIL}`, false],
];

describe.each(INGRESSES)('on the $kind ingress', ({ kind }) => {
  /** A service whose first answer is this one, and whose later ones are good. */
  async function ask(bytes: string, closes: boolean) {
    const upstream = await startRawUpstream((socket, requestNumber) => {
      if (requestNumber > 1) socket.write(GOOD);
      else if (closes) socket.end(bytes, 'latin1');
      else socket.write(bytes, 'latin1');
    });
    onTestFinished(() => upstream.stop());
    const { host } = await proxy.expose({ port: upstream.port, retries: 0, read_timeout: 2000 });
    const send = () =>
      exchangeRaw(proxy.portOf(kind), `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, {
        quietMs: 4000,
      });
    const first = await send();
    const second = await send();
    return { first, second, connections: upstream.sockets.length };
  }

  it.each(REFUSED)('%s is 502, and the next answer is clean', async (_, bytes) => {
    const { first, second, connections } = await ask(bytes, false);
    expect(first.responses).toMatchObject([{ status: 502, isComplete: true }]);
    expect(first.responses[0]?.body).not.toContain('evil');
    expect(second.responses).toMatchObject([{ status: 200, body: 'good', isComplete: true }]);
    expect(connections).toBe(2);
  });

  it.each(CUT)('%s is seen by the client, and the next answer is clean', async (_, bytes, closes) => {
    const { first, second, connections } = await ask(bytes, closes);
    expect(first.responses.some(({ isComplete }) => isComplete)).toBe(false);
    expect(second.responses).toMatchObject([{ status: 200, body: 'good', isComplete: true }]);
    expect(connections).toBe(2);
  });

  it('nothing at all is 502', async () => {
    expect((await ask('', true)).first.responses).toMatchObject([{ status: 502 }]);
  });
});
