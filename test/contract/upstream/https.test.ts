import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUpstreamClient, type UpstreamClient } from '../../../core/upstream/forward.ts';
import type { UpstreamOrigin } from '../../../core/upstream/forward-request.ts';
import { forwardOnce, originAt, requestTo } from './forward-once.ts';

const read = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}`, import.meta.url), 'utf8');
const certificate = read('upstream.pem');
const BODY = 'x'.repeat(300_000);

let server: Server;
let port: number;
const seen: { serverName: string | false | null; protocol: string | false | null; isResumed: boolean }[] = [];
const clients: UpstreamClient[] = [];

beforeAll(async () => {
  server = createServer(
    { cert: certificate, key: read('upstream-key.pem'), ALPNProtocols: ['h2', 'http/1.1'] },
    (socket: TLSSocket) => {
      seen.push({
        serverName: (socket as TLSSocket & { servername: string | false | null }).servername,
        protocol: socket.alpnProtocol,
        isResumed: socket.isSessionReused(),
      });
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (chunk.includes('close')) socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  for (const client of clients) client.close();
  server.close();
  await once(server, 'close');
});

const createClient = (trustedCertificates?: readonly string[]): UpstreamClient => {
  const client = createUpstreamClient(trustedCertificates === undefined ? {} : { trustedCertificates });
  clients.push(client);
  return client;
};
const get = (client: UpstreamClient, changes: Partial<UpstreamOrigin>, path = '/') =>
  forwardOnce(
    client,
    requestTo(port, {
      origin: originAt(port, { protocol: 'https', ...changes }),
      head: `GET ${path} HTTP/1.1\r\nHost: upstream.test\r\n\r\n`,
      retries: 1,
    }),
  );

describe('an https upstream (contract/proxy.md section 7.6)', () => {
  it('is sent the name of the service, spoken to in HTTP/1.1, and kept alive', async () => {
    const client = createClient();
    for (let count = 0; count < 3; count++) {
      const outcome = await get(client, { serverName: 'upstream.test' });
      expect(outcome.error).toBeUndefined();
      expect(outcome.body === BODY).toBe(true);
    }
    expect(seen.at(-1)).toMatchObject({ serverName: 'upstream.test', protocol: 'http/1.1' });
    expect(client.stats()).toMatchObject({ connectionsOpened: 1, idleConnections: 1 });
  });

  it('is sent no name when there is none', async () => {
    expect((await get(createClient(), {})).error).toBeUndefined();
    expect(seen.at(-1)?.serverName).toBeFalsy();
  });

  it('ends a body without length by closing', async () => {
    expect(await get(createClient(), {}, '/close')).toMatchObject({
      body: 'until the end',
      error: undefined,
    });
  });

  it('is trusted when its certificate verifies', async () => {
    const outcome = await get(createClient([certificate]), {
      serverName: 'upstream.test',
      verifyCertificate: true,
    });
    expect(outcome.error).toBeUndefined();
  });

  it.each([
    ['nobody trusted signed its certificate', [], 'upstream.test'],
    ['its certificate is for another name', [certificate], 'other.test'],
  ])('is a 502 after retries when %s', async (_title, trusted, serverName) => {
    const { error, attempts } = await get(createClient(trusted), { serverName, verifyCertificate: true });
    expect(error).toMatchObject({ code: 'GW_UPSTREAM_CONNECT_FAILED', status: 502 });
    expect(attempts).toHaveLength(2);
  });

  it('is a 502 when it is spoken to without TLS', async () => {
    const origin = originAt(port);
    const { error } = await forwardOnce(createClient(), requestTo(port, { origin, retries: 1 }));
    expect(error).toMatchObject({ status: 502 });
  });
});
