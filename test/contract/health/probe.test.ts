/** What probes do to a target, and what they make of it: contract/proxy.md section 8.3. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProbeRules } from '../../../core/health/check-rules.ts';
import { probe } from '../../../core/health/probe.ts';
import { serve } from '../../e2e/support/serve.ts';
import { findClosedPort } from '../upstream/raw-upstream.ts';

const read = (name: string) =>
  readFileSync(new URL(`../upstream/certificates/${name}`, import.meta.url), 'utf8');

const seen: { readonly serverName: unknown; readonly host: string | undefined }[] = [];
const server = createServer(
  { cert: read('upstream.pem'), key: read('upstream-key.pem'), ALPNProtocols: ['h2', 'http/1.1'] },
  (request: IncomingMessage, response) => {
    const { servername } = request.socket as TLSSocket & { readonly servername: unknown };
    seen.push({ serverName: servername, host: request.headers.host });
    response.statusCode = 204;
    response.end();
  },
);
let port = 0;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

const rulesOf = (changes: Partial<ProbeRules>): ProbeRules => ({
  type: 'http',
  timeoutMs: 2000,
  concurrency: 1,
  path: '/',
  hostHeader: null,
  serverName: null,
  verifiesCertificate: true,
  headers: {},
  healthyIntervalMs: 1000,
  unhealthyIntervalMs: 1000,
  outcome: {
    healthyStatuses: new Set(),
    unhealthyStatuses: new Set(),
    successes: 0,
    tcp_failures: 0,
    timeouts: 0,
    http_failures: 0,
  },
  ...changes,
});
const target = (host = 'node.test') => ({ host, ip: '127.0.0.1', port });

it('refuses a certificate that nobody has signed, unless it is not to be verified', async () => {
  expect(await probe(rulesOf({ type: 'https' }), target())).toBe('refused');
  expect(await probe(rulesOf({ type: 'https', verifiesCertificate: false }), target())).toBe(204);
  expect(await probe(rulesOf({ type: 'grpcs', verifiesCertificate: false }), target())).toBe('connected');
  expect(await probe(rulesOf({ type: 'grpcs' }), target())).toBe('refused');
});

it('sends the name of the target, of the upstream or of the check, and none for an address', async () => {
  const https = { type: 'https', verifiesCertificate: false } as const;
  seen.length = 0;
  await probe(rulesOf(https), target());
  await probe(rulesOf({ ...https, hostHeader: 'shop.test' }), target());
  await probe(rulesOf({ ...https, serverName: 'sni.test' }), target());
  await probe(rulesOf(https), target('127.0.0.1'));
  expect(seen).toEqual([
    { serverName: 'node.test', host: `node.test:${port}` },
    { serverName: 'shop.test', host: 'shop.test' },
    { serverName: 'sni.test', host: `node.test:${port}` },
    { serverName: false, host: `127.0.0.1:${port}` },
  ]);
});

it.each(['http', 'tcp', 'grpc', 'https', 'grpcs'] as const)(
  'of type %s is refused where nobody listens',
  async (type) => {
    const closed = { ...target(), port: await findClosedPort() };
    expect(await probe(rulesOf({ type }), closed)).toBe('refused');
  },
);

it('takes what is no HTTP for a refusal, and silence for a timeout', async () => {
  expect(await probe(rulesOf({}), target())).not.toBe(204);
  const silent = await serve(() => {});
  expect(await probe(rulesOf({ timeoutMs: 50 }), { ...target(), port: silent.port })).toBe('timeout');
  await silent.stop();
});
