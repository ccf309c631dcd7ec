/** TLS to services: what is verified by what, and what they are shown. Contract/proxy.md section 7.6. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IssuedCertificate, issueCertificate } from '../../../core/crypto/issue-certificate.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

interface Seen {
  readonly serverName: string;
  readonly client: string | undefined;
  readonly connection: number;
  readonly isResumed: boolean;
}

const sign = (commonName: string, issuer?: IssuedCertificate, isAuthority = false) =>
  issueCertificate({ commonName, names: [commonName], validDays: 1, isAuthority, ...(issuer && { issuer }) });

type Attributes = Readonly<Record<string, unknown>>;

let proxy: ProxyUnderTest;
let server: Server;
let port: number;
let root: IssuedCertificate;
let stranger: IssuedCertificate;
let connections = 0;
beforeAll(async () => {
  root = await sign('root', undefined, true);
  stranger = await sign('stranger', undefined, true);
  const middle = await sign('middle', root, true);
  const pair = await sign('localhost', middle);
  server = createServer({
    cert: pair.cert + middle.cert,
    key: pair.key,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const numbers = new WeakMap<object, number>();
  server.on('secureConnection', (socket) => numbers.set(socket, ++connections));
  server.on('request', (request, response) => {
    const socket = request.socket as TLSSocket & { servername: string };
    const seen: Seen = {
      serverName: socket.servername,
      client: socket.getPeerCertificate().subject?.CN as string | undefined,
      connection: numbers.get(socket) ?? 0,
      isResumed: socket.isSessionReused(),
    };
    response.end(JSON.stringify(seen));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as AddressInfo).port;
  proxy = await startProxy();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await proxy.stop();
});

const expose = (service: Attributes, route: Attributes = {}) =>
  proxy.expose({ protocol: 'https', host: 'localhost', port, retries: 0, ...service }, route);

async function ask(host: string): Promise<Seen> {
  const answer = await proxy.send(host);
  if (answer.status !== 200) throw new Error(`answered with ${answer.status} ${answer.text}`);
  return answer.json<Seen>();
}

async function trust({ cert }: IssuedCertificate): Promise<string> {
  const listed = await proxy.write('GET', '/ca_certificates');
  const known = listed.data.find((row: { cert: string }) => row.cert === cert);
  return (known ?? (await proxy.write('POST', '/ca_certificates', { cert }))).id;
}

describe('a service with TLS', () => {
  it('is not verified unless it says so', async () => {
    expect((await ask((await expose({})).host)).serverName).toBe('localhost');
    const { host } = await expose({ tls_verify: true });
    const refused = await proxy.send(host);
    expect(refused.status).toBe(502);
    expect(proxy.gateway.output()).toMatch(
      /UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF)|self-signed|SELF_SIGNED/,
    );
  });

  it('is verified by the authorities it names', async () => {
    const trusting = await expose({ tls_verify: true, ca_certificates: [await trust(root)] });
    expect((await ask(trusting.host)).serverName).toBe('localhost');
    const distrusting = await expose({ tls_verify: true, ca_certificates: [await trust(stranger)] });
    expect((await proxy.send(distrusting.host)).status).toBe(502);
    const unknown = await expose({
      tls_verify: true,
      ca_certificates: ['00000000-0000-4000-8000-000000000000'],
    });
    expect((await proxy.send(unknown.host)).status).toBe(502);
  });

  it('may be verified only so many certificates deep', async () => {
    const ca_certificates = [await trust(root)];
    const deep = await expose({ tls_verify: true, tls_verify_depth: 1, ca_certificates });
    expect((await proxy.send(deep.host)).status).toBe(200);
    const shallow = await expose({ tls_verify: true, tls_verify_depth: 0, ca_certificates });
    expect((await proxy.send(shallow.host)).status).toBe(502);
    expect(proxy.gateway.output()).toContain('certificate chain too long');
  });

  it('is verified by the name that is asked for', async () => {
    const service = { tls_verify: true, ca_certificates: [await trust(root)] };
    const { host } = await expose(service, { preserve_host: true });
    expect((await proxy.send(host)).status).toBe(502);
    const unverified = await expose({}, { preserve_host: true });
    expect((await ask(unverified.host)).serverName).toBe(unverified.host);
    const byAddress = await expose({ host: '127.0.0.1' });
    expect((await ask(byAddress.host)).serverName).toBeFalsy();
  });

  it('is shown a certificate where it is given one, which can be changed', async () => {
    const client = await sign('client', root);
    const { id } = await proxy.write('POST', '/certificates', client);
    const shown = await expose({ client_certificate: { id } });
    expect((await ask(shown.host)).client).toBe('client');
    expect((await ask((await expose({})).host)).client).toBeUndefined();
    await proxy.write('PATCH', `/certificates/${id}`, await sign('successor', root));
    expect((await ask(shown.host)).client).toBe('successor');
  });

  it('is shown the certificate of its upstream where it has none itself', async () => {
    const { id } = await proxy.write('POST', '/certificates', await sign('of-upstream', root));
    await proxy.write('POST', '/upstreams', { name: 'tls-upstream', client_certificate: { id } });
    await proxy.write('POST', '/upstreams/tls-upstream/targets', { target: `localhost:${port}` });
    const { host } = await expose({ host: 'tls-upstream' });
    expect(await ask(host)).toMatchObject({ client: 'of-upstream', serverName: 'localhost' });
  });

  it('has connections that are used again, and none that others have with other rules', async () => {
    const lax = await expose({ host: 'localhost', path: '/lax' });
    const strict = await expose({ tls_verify: true, ca_certificates: [await trust(root)] });
    const first = await ask(lax.host);
    expect((await ask(lax.host)).connection).toBe(first.connection);
    const verified = await ask(strict.host);
    expect(verified.connection).not.toBe(first.connection);
    expect((await ask(strict.host)).connection).toBe(verified.connection);
  });
});
