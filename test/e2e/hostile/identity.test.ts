/** Nobody tells a service who is calling but the plugin that has found out, and nobody takes its word away. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRaw } from '../../support/raw-http.ts';
import type { EchoedRequest } from '../../support/start-upstream.ts';
import { linesOf } from '../support/start-proxy.ts';
import { type HostileProxy, INGRESSES, startHostileProxy } from './hostile-proxy.ts';

const OPEN = 'open.test';
const GUARDED = 'guarded.test';

let proxy: HostileProxy;
beforeAll(async () => {
  proxy = await startHostileProxy();
  await proxy.expose({}, { hosts: [OPEN] });
  const { routeId } = await proxy.expose({}, { hosts: [GUARDED] });
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
  await proxy.write('POST', '/consumers', { username: 'ada' });
  await proxy.write('POST', '/consumers/ada/key-auth', { key: 'key-of-ada' });
});
afterAll(() => proxy.stop());

const CLAIMS = [
  ...[
    'X-Consumer-ID',
    'X-Consumer-Username',
    'X-Consumer-Custom-ID',
    'X-Consumer-Groups',
    'X-Consumer-Anything',
  ],
  ...['X-Credential-Identifier', 'X-Anonymous-Consumer', 'X-Authenticated-Groups'],
  ...['x_consumer_id', 'X_Consumer_Username', 'X-Consumer_Custom-ID', 'X_Consumer-Groups'],
  ...['x_credential_identifier', 'X_Credential-Identifier', 'x_anonymous_consumer', 'x-authenticated_groups'],
];

describe.each(INGRESSES)('on the $kind ingress', ({ kind }) => {
  async function receive(host: string, ...lines: readonly string[]): Promise<EchoedRequest> {
    const head = [`GET / HTTP/1.1`, `Host: ${host}`, 'apikey: key-of-ada', 'Connection: close', ...lines];
    const { responses } = await exchangeRaw(proxy.portOf(kind), `${head.join('\r\n')}\r\n\r\n`);
    if (responses[0]?.status !== 200) throw new Error(`answered with ${responses[0]?.status}`);
    return proxy.upstream.lastRequest as EchoedRequest;
  }

  it.each(CLAIMS)('a client’s %s never arrives', async (name) => {
    for (const host of [OPEN, GUARDED]) {
      const { headers } = await receive(host, `${name}: root`, `${name.toUpperCase()}: root`);
      expect(headers.filter(([, value]) => value === 'root')).toEqual([]);
    }
  });

  it.each([
    ['Connection: X-Consumer-Username'],
    ['Connection: close, X-Consumer-Username'],
    ['Connection: x-consumer-username', 'X-Consumer-Username: root'],
    ['Connection: keep-alive', 'Connection: X-Consumer-ID, X-Consumer-Username'],
    ['Keep-Alive: X-Consumer-Username'],
    ['Connection: X-Consumer-Username', 'X_Consumer_Username: root'],
  ])('what the plugin found out arrives in spite of %s', async (...lines) => {
    expect(linesOf(await receive(GUARDED, ...lines), 'x-consumer-username')).toEqual(['ada']);
  });

  it.each([
    ...['X-Forwarded-For', 'X-Real-IP', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'],
    ...['X-Forwarded-Path', 'Via', 'X-Kong-Request-Id', 'Host', 'TE', 'Upgrade'],
  ])('Connection cannot take away what the gateway says: %s', async (name) => {
    const plain = await receive(OPEN);
    const stripped = await receive(OPEN, `Connection: ${name}`);
    expect(linesOf(stripped, name).length).toBe(linesOf(plain, name).length);
  });

  it.each(['x_forwarded_for', 'x_real_ip', 'x_forwarded_host', 'content_length', 'transfer_encoding'])(
    'another spelling of what the gateway writes never arrives: %s',
    async (name) => {
      const { headers } = await receive(OPEN, `${name}: 6.6.6.6`);
      expect(headers.filter(([, value]) => value === '6.6.6.6')).toEqual([]);
    },
  );

  it.each(['open.TEST', 'OPEN.test', 'oPeN.tEsT:80'])('a Host is compared without case: %s', async (host) => {
    await receive(host);
    await expect(receive(host.replace(/open/i, 'GUARDED'), 'apikey:')).rejects.toThrow('401');
  });
});
