/** No key, password or secret of anybody shows up in what the gateway prints, at its most talkative and when all goes wrong. */
import { spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { exchangeBytes } from '../support/raw-http.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));

/** Each has a word of its own, so that a leak tells where it came from. */
const SECRETS = {
  databasePassword: 'hush-database-password',
  key: 'hush-key-of-a-customer',
  wrongKey: 'hush-key-of-nobody',
  basic: 'hush-basic-password',
  bearer: 'hush.bearer.token-1',
  redisPassword: 'hush-redis-password',
  redisSentinelPassword: 'hush-sentinel-password',
  upstreamPassword: 'hush-upstream-password',
  exporter: 'hush-exporter-authorization',
  exporterLogin: 'hush-exporter-login',
} as const;

const basicHeader = `Basic ${Buffer.from(`customer:${SECRETS.basic}`).toString('base64')}`;
const HIDDEN: readonly string[] = [...Object.values(SECRETS), basicHeader.slice('Basic '.length)];

/** Lines that are no part of the log: what an operator sees when the node is up. */
const ANNOUNCEMENT = /^(?:Tollgate \d|\s|Try:|$)/;

interface Relay {
  readonly port: number;
  /** Cuts everything and takes nothing until `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** A way to the database that can be cut. */
async function startRelay(target: URL): Promise<Relay> {
  const port = await findFreePort();
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const open = () =>
    new Promise<void>((resolve, reject) => {
      server = createServer((near) => {
        const far = connect(Number(target.port || 5432), target.hostname);
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(from);
          from.on('error', () => {});
          from.once('close', () => {
            sockets.delete(from);
            to.destroy();
          });
          from.pipe(to);
        }
      });
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  const close = () =>
    new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
      server = undefined;
      for (const socket of sockets) socket.destroy();
    });
  await open();
  return { port, close, open };
}

interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly role: string;
  readonly plugin?: string;
  readonly msg?: string;
  readonly request_id?: string;
}

describe('the log of a gateway at level debug', () => {
  let testDatabase: TestDatabase;
  let relay: Relay;
  let proxy: ProxyUnderTest;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    const url = new URL(testDatabase.url);
    relay = await startRelay(new URL(url));
    url.port = String(relay.port);
    url.password = SECRETS.databasePassword;
    proxy = await startProxy({
      DATABASE_URL: url.href,
      TOLLGATE_LOG_LEVEL: 'debug',
      TOLLGATE_WORKERS: '1',
      TOLLGATE_TRACING_INSTRUMENTATIONS: 'all',
      TOLLGATE_TRACING_SAMPLING_RATE: '1',
    });
  });
  afterAll(async () => {
    await proxy?.stop();
    await relay?.close();
    await testDatabase?.drop();
  });

  const logLines = (): readonly LogLine[] =>
    proxy.gateway
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);

  const linesAlready = (requestId: string | undefined) =>
    logLines().filter(({ request_id }) => request_id === requestId);

  /** Waits for the first one: the answer may be here before what was written meanwhile. */
  const linesOf = async (requestId: string | undefined): Promise<readonly LogLine[]> => {
    for (;;) {
      const lines = linesAlready(requestId);
      if (lines.length > 0) return lines;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  const expectNothingShown = () => {
    const output = proxy.gateway.output();
    expect(HIDDEN.filter((secret) => output.includes(secret))).toEqual([]);
  };

  const credentials = [
    { apikey: SECRETS.key },
    { apikey: SECRETS.wrongKey },
    { Authorization: basicHeader },
    { Authorization: `Bearer ${SECRETS.bearer}` },
    { 'Proxy-Authorization': basicHeader, Cookie: `session=${SECRETS.bearer}` },
    { apikey: [SECRETS.key, SECRETS.wrongKey] },
  ];

  const useEveryCredential = async (host: string) => {
    for (const headers of credentials) {
      await proxy.send(host, `/?apikey=${SECRETS.wrongKey}&size=1`, { headers });
    }
  };

  it('shows no credential of clients, whether the upstream answers or not', async () => {
    const deadPort = await findFreePort();
    const alive = await proxy.expose();
    const dead = await proxy.expose({ host: '127.0.0.1', port: deadPort });
    await proxy.write('POST', '/consumers', { username: 'customer' });
    await proxy.write('POST', '/consumers/customer/key-auth', { key: SECRETS.key });
    for (const { host, routeId } of [alive, dead]) {
      await useEveryCredential(host);
      await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
      await useEveryCredential(host);
    }
    for (const request of [
      `GET / HTTP/1.1\r\nHost: ${alive.host}\r\nContent-Length: 1\r\nContent-Length: 2\r\nAuthorization: ${basicHeader}\r\n\r\n`,
      `GET /?apikey=${SECRETS.key} HTTP/9.9\r\nAuthorization: ${basicHeader}\r\n\r\n`,
      `POST / HTTP/1.1\r\nHost: ${alive.host}\r\nTransfer-Encoding: nonsense\r\napikey: ${SECRETS.key}\r\n\r\n`,
    ]) {
      await exchangeBytes(proxy.port, request, { quietMs: 300 });
    }
    expectNothingShown();
  });

  it('carries the id of the request that failed, as the client was told it', async () => {
    const { host } = await proxy.expose({ host: '127.0.0.1', port: await findFreePort() });
    const answer = await proxy.send(host);
    expect(answer.status).toBe(502);
    const requestId = answer.header('x-kong-request-id');
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(await linesOf(requestId)).toEqual([
      expect.objectContaining({
        level: 'error',
        role: 'worker',
        msg: expect.stringContaining('upstream failed'),
      }),
    ]);
  });

  it('shows nothing of what is written through the Admin API, refused or not', async () => {
    const { routeId } = await proxy.expose();
    const redis = {
      host: '127.0.0.1',
      port: await findFreePort(),
      timeout: 200,
      username: 'limiter',
      password: SECRETS.redisPassword,
    };
    const config = { minute: 5, policy: 'redis', redis };
    const writes: readonly (readonly [string, unknown])[] = [
      ['/consumers/customer/key-auth', { key: SECRETS.key }],
      ['/consumers/customer/key-auth', { key: SECRETS.key, password: SECRETS.basic }],
      ['/consumers/nobody/key-auth', { key: SECRETS.wrongKey }],
      ['/services', { url: `http://user:${SECRETS.upstreamPassword}@127.0.0.1:9` }],
      ['/plugins', { name: 'rate-limiting', config: { ...config, redis: { ...redis, nonsense: 1 } } }],
      ['/plugins', { name: 'rate-limiting', config: { ...config, sync_rate: 'x' } }],
      [
        '/plugins',
        {
          name: 'rate-limiting',
          config: { ...config, redis: { ...redis, sentinel_password: SECRETS.redisSentinelPassword } },
        },
      ],
      [
        '/plugins',
        { name: 'opentelemetry', config: { endpoint: 'x', headers: { authorization: SECRETS.exporter } } },
      ],
      [`/routes/${routeId}/plugins`, { name: 'rate-limiting', config }],
    ];
    for (const [path, body] of writes) await proxy.admin('POST', path, body);
    for (const body of [`{"password":"${SECRETS.basic}"`, `password=${SECRETS.basic}&key[=${SECRETS.key}`]) {
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        const answer = await fetch(`${proxy.gateway.adminUrl}/consumers/customer/key-auth`, {
          method: 'POST',
          body,
          headers: { 'Content-Type': type, Authorization: basicHeader },
        });
        await answer.arrayBuffer();
      }
    }
    expectNothingShown();
  });

  it('shows no password of a Redis that cannot be reached, but the request and the plugin', async () => {
    const { host, routeId } = await proxy.expose();
    for (const isFaultTolerant of [true, false]) {
      const plugin = await proxy.write('POST', `/routes/${routeId}/plugins`, {
        name: 'rate-limiting',
        config: {
          minute: 5,
          policy: 'redis',
          fault_tolerant: isFaultTolerant,
          redis: {
            host: '127.0.0.1',
            port: await findFreePort(),
            timeout: 200,
            username: 'limiter',
            password: SECRETS.redisPassword,
          },
        },
      });
      for (let count = 0; count < 3; count++) {
        const answer = await proxy.send(host, '/', { headers: { apikey: SECRETS.key } });
        if (!isFaultTolerant) continue;
        expect(await linesOf(answer.header('x-kong-request-id'))).toContainEqual(
          expect.objectContaining({ level: 'debug', plugin: 'rate-limiting' }),
        );
      }
      await proxy.write('DELETE', `/plugins/${plugin.id}`);
    }
    expectNothingShown();
  });

  it('shows no credential of a collector of traces that cannot be reached or refuses', async () => {
    const refusing = await serve((request, response) => {
      response.writeHead(401, { 'Content-Type': 'text/plain' });
      response.end(`no: ${request.headers.authorization}`);
    });
    onTestFinished(() => refusing.stop());
    for (const port of [await findFreePort(), refusing.port]) {
      const { host, routeId } = await proxy.expose();
      await proxy.write('POST', `/routes/${routeId}/plugins`, {
        name: 'opentelemetry',
        config: {
          traces_endpoint: `http://collector:${SECRETS.exporterLogin}@127.0.0.1:${port}/v1/traces`,
          headers: { authorization: `Bearer ${SECRETS.exporter}` },
          sampling_rate: 1,
          queue: { max_batch_size: 1, max_coalescing_delay: 0, max_retry_time: 0 },
          connect_timeout: 200,
        },
      });
      for (let count = 0; count < 3; count++) await proxy.send(host);
    }
    while (!logLines().some(({ msg }) => msg === 'spans or log lines could not be exported')) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expectNothingShown();
  });

  it('shows neither its own password nor a key while the database is gone and when it is back', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    await relay.close();
    const answer = await proxy.admin('POST', '/consumers/customer/key-auth', { key: SECRETS.wrongKey });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    await useEveryCredential(host);
    await relay.open();
    while ((await proxy.admin('GET', '/consumers/customer')).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await useEveryCredential(host);
    expectNothingShown();
  });

  it('follows the Admin API’s change of level in every process, and back', async () => {
    const { host } = await proxy.expose({ host: '127.0.0.1', port: await findFreePort() });
    const fail = async () => (await proxy.send(host)).header('x-kong-request-id');
    expect(await proxy.admin('PUT', '/debug/node/log-level/crit')).toMatchObject({ status: 200 });
    const quiet = await fail();
    expect(await proxy.admin('PUT', '/debug/node/log-level/debug')).toMatchObject({ status: 200 });
    await linesOf(await fail());
    expect(linesAlready(quiet)).toEqual([]);
    await proxy.admin('PUT', '/debug/node/log-level/crit?timeout=0');
    for (let id = await fail(); linesAlready(id).length === 0; id = await fail()) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('is one JSON object a line, with level, time and role', () => {
    const others = proxy.gateway
      .output()
      .split('\n')
      .filter((line) => !line.startsWith('{') && !ANNOUNCEMENT.test(line));
    expect(others).toEqual([]);
    expectNothingShown();
    expect(logLines().length).toBeGreaterThan(5);
    for (const { level, time, role } of logLines()) {
      expect([typeof level, Number.isNaN(Date.parse(time)), typeof role]).toEqual([
        'string',
        false,
        'string',
      ]);
    }
  });
});

describe('a command that fails', () => {
  async function outputOf(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const child = spawn(process.execPath, [CLI, ...args], { env: { PATH: process.env['PATH'], ...env } });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await new Promise((resolve) => child.once('close', resolve));
    return output;
  }

  const off = { TOLLGATE_PROXY_LISTEN: 'off', TOLLGATE_ADMIN_LISTEN: 'off', TOLLGATE_STATUS_LISTEN: 'off' };
  const password = SECRETS.databasePassword;

  it.each([
    ['a database that is not there', { DATABASE_URL: `postgres://gate:${password}@127.0.0.1:1/x` }],
    ['a URL that is none', { DATABASE_URL: `postgres://gate:${password}@:x/y` }],
    ['a URL of something else', { DATABASE_URL: `mysql://gate:${password}@db/x` }],
    [
      'single settings',
      { TOLLGATE_PG_HOST: '127.0.0.1', TOLLGATE_PG_PORT: '1', TOLLGATE_PG_PASSWORD: password },
    ],
  ])('does not show the password of %s', { timeout: 60_000 }, async (_, env) => {
    for (const args of [['start'], ['migrations', 'up']]) {
      const output = await outputOf(args, { ...off, ...env });
      expect(output).not.toBe('');
      expect(output).not.toContain(password);
    }
  });
});
