/** TLS listeners, and the certificates that come and go with the configuration: contract/proxy.md section 7.6. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../core/crypto/issue-certificate.ts';
import { findFreePort } from '../support/free-port.ts';
import { parseResponses } from '../support/raw-http.ts';
import type { EchoedRequest } from '../support/start-upstream.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
let tlsPort: number;
const dataFolder = mkdtempSync(join(tmpdir(), 'tollgate-tls-'));
const madeIds: string[] = [];
beforeAll(async () => {
  tlsPort = await findFreePort();
  proxy = await startProxy({ TOLLGATE_DATA_DIR: dataFolder }, [`127.0.0.1:${tlsPort} http2 ssl`]);
});
afterEach(async () => {
  for (const id of madeIds.splice(0)) await proxy.write('DELETE', `/certificates/${id}`);
});
afterAll(async () => {
  await proxy.stop();
  rmSync(dataFolder, { recursive: true });
});

interface TlsAnswer {
  readonly shown: X509Certificate;
  readonly protocol: string | null;
  readonly status: number;
  readonly body: string;
}

/** Sends the request over a connection of its own, and answers when it has been closed. */
function ask(servername: string | undefined, host: string, options: object = {}): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = open(servername, options);
    let text = '';
    let shown: X509Certificate | undefined;
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      shown = new X509Certificate(socket.getPeerCertificate(true).raw);
      socket.write(`GET /a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => {
      const [answer] = parseResponses(text);
      const { status = 0, body = '' } = answer ?? {};
      resolve({ shown: shown as X509Certificate, protocol: socket.getProtocol(), status, body });
    });
  });
}

function open(servername: string | undefined, options: object = {}): TLSSocket {
  const name = servername === undefined ? {} : { servername };
  return connectTls({ host: '127.0.0.1', port: tlsPort, rejectUnauthorized: false, ...name, ...options });
}

async function give(names: readonly string[], commonName: string, more: object = {}): Promise<string> {
  const pair = await issueCertificate({ commonName, names: [commonName], validDays: 1 });
  const { id } = await proxy.write('POST', '/certificates', { ...pair, ...more, snis: names });
  madeIds.push(id);
  return id;
}

const nameOf = ({ shown }: TlsAnswer) => shown.subject;

describe('a TLS listener', () => {
  it('shows a certificate of its own until it is given one, and keeps it', async () => {
    const { host } = await proxy.expose();
    const answer = await ask(undefined, host);
    expect(answer).toMatchObject({ status: 200, protocol: 'TLSv1.3' });
    expect(nameOf(answer)).toBe('CN=localhost');
    expect(nameOf(await ask('unknown.test', host))).toBe('CN=localhost');
    const key = statSync(join(dataFolder, 'own-certificate.key'));
    expect(key.mode & 0o777).toBe(0o600);
  });

  it('speaks TLS 1.2 too, and nothing older', async () => {
    const { host } = await proxy.expose();
    expect((await ask(undefined, host, { maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2');
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(ask(undefined, host, old)).rejects.toThrow();
  });

  it('says https in what it tells upstreams', async () => {
    const { host } = await proxy.expose();
    const { headers } = JSON.parse((await ask('x.test', host)).body) as EchoedRequest;
    const told = Object.fromEntries(headers.filter(([name]) => name.startsWith('X-Forwarded')));
    expect(told).toMatchObject({
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Port': String(tlsPort),
      'X-Forwarded-Host': host,
    });
  });

  it('speaks HTTP/2 with clients that choose it', async () => {
    const { host } = await proxy.expose();
    const session = openHttp2('h2.test');
    const answer = await request(session, host, '/a?b=c');
    session.close();
    expect(answer.headers[':status']).toBe(200);
    const echo = JSON.parse(answer.body) as EchoedRequest;
    expect(echo).toMatchObject({ method: 'GET', url: '/a?b=c', httpVersion: '1.1' });
    expect(echo.headers).toContainEqual(['Via', expect.stringMatching(/^2 tollgate\//)]);
    expect(answer.headers['via']).toMatch(/^1\.1 tollgate\//);
  });
});

describe('certificates', () => {
  it('are shown for their server names as soon as the write is answered: exact, first, last label, any', async () => {
    const { host } = await proxy.expose();
    await give(['a.b.test'], 'exact');
    await give(['*.b.test'], 'first');
    await give(['a.*'], 'last');
    expect(nameOf(await ask('a.b.test', host))).toBe('CN=exact');
    expect(nameOf(await ask('A.B.test', host))).toBe('CN=exact');
    expect(nameOf(await ask('x.b.test', host))).toBe('CN=first');
    expect(nameOf(await ask('a.other', host))).toBe('CN=last');
    expect(nameOf(await ask('x.y.b.test', host))).toBe('CN=localhost');
    await give(['*'], 'any');
    expect(nameOf(await ask('x.y.b.test', host))).toBe('CN=any');
    expect(nameOf(await ask(undefined, host))).toBe('CN=localhost');
  });

  it('change under open connections, which go on', async () => {
    const { host } = await proxy.expose();
    const id = await give(['hot.test'], 'before');
    const session = openHttp2('hot.test');
    expect((await request(session, host, '/a')).headers[':status']).toBe(200);
    const after = await issueCertificate({ commonName: 'after', names: ['hot.test'], validDays: 1 });
    await proxy.write('PATCH', `/certificates/${id}`, after);
    expect(nameOf(await ask('hot.test', host))).toBe('CN=after');
    expect((await request(session, host, '/a')).headers[':status']).toBe(200);
    await proxy.write('PATCH', `/certificates/${id}`, { snis: null });
    expect(nameOf(await ask('hot.test', host))).toBe('CN=localhost');
    expect((await request(session, host, '/a')).headers[':status']).toBe(200);
    session.close();
  });

  it('leave no trace of their keys in the log', async () => {
    const bad = await issueCertificate({ commonName: 'x', names: ['x'], validDays: 1 });
    await proxy.admin('POST', '/certificates', { cert: 'x', key: bad.key });
    await give(['quiet.test'], 'quiet');
    expect(proxy.gateway.output()).not.toContain('PRIVATE KEY');
  });
});

describe('a route', () => {
  it('may be for some server names only', async () => {
    const { host } = await proxy.expose({}, { snis: ['one.test'], protocols: ['https'] });
    expect((await ask('one.test', host)).status).toBe(200);
    expect((await ask('two.test', host)).status).toBe(404);
    expect((await ask(undefined, host)).status).toBe(404);
    const session = openHttp2('one.test');
    expect((await request(session, host, '/a')).headers[':status']).toBe(200);
    session.close();
  });

  it('that is for https alone is so on the port without TLS', async () => {
    const { host } = await proxy.expose({}, { protocols: ['https'] });
    expect((await ask(undefined, host)).status).toBe(200);
    const refused = await proxy.send(host, '/a');
    expect(refused.status).toBe(426);
    expect(refused.header('upgrade')).toBe('TLS/1.2, HTTP/1.1');
  });

  it('that is for http serves https as well', async () => {
    const { host } = await proxy.expose({}, { protocols: ['http'] });
    expect((await ask(undefined, host)).status).toBe(200);
  });
});

function openHttp2(servername: string): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, { servername, rejectUnauthorized: false });
  session.on('error', () => undefined);
  return session;
}

function request(session: ClientHttp2Session, authority: string, path: string) {
  return new Promise<{ headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const stream = session.request({ ':authority': authority, ':path': path });
    let headers: Record<string, unknown> = {};
    let body = '';
    stream.on('response', (given) => {
      headers = { ...given };
    });
    stream.on('data', (chunk) => {
      body += chunk;
    });
    stream.on('error', reject);
    stream.on('end', () => resolve({ headers, body }));
  });
}
