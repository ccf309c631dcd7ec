/** Starting, stopping and surviving: what an operator relies on. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { startGateway } from '../support/start-gateway.ts';
import { startUpstream } from '../support/start-upstream.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { openAnswer, sendRequest } from './support/send-request.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, proxyOf, startProxy } from './support/start-proxy.ts';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));

function runStart(env: Record<string, string>): Promise<{ exitCode: number | null; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'start'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, stderr })));
}

/** Process ids of the children of a process. */
function listChildren(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

async function until<Value>(probe: () => Promise<Value>, isDone: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await probe();
    if (isDone(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a running node', () => {
  let proxy: ProxyUnderTest;
  let host: string;
  beforeAll(async () => {
    proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
    ({ host } = await proxy.expose());
  });
  afterAll(() => proxy.stop());

  it('tells on its status listener that it is ready', async () => {
    const ready = await fetch(`${proxy.gateway.statusUrl}/status/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { message: 'ready' }]);
  });

  it('counts what it has served in /status and /metrics', async () => {
    await proxy.echo(host);
    const status = await fetch(`${proxy.gateway.statusUrl}/status`);
    const { server, database } = (await status.json()) as {
      server: Record<string, number>;
      database: unknown;
    };
    expect(server['total_requests']).toBeGreaterThan(0);
    expect(server['connections_accepted']).toBeGreaterThan(0);
    expect(database).toEqual({ reachable: true });
    const metrics = await fetch(`${proxy.gateway.statusUrl}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    const text = await metrics.text();
    expect(text).toMatch(/^kong_nginx_requests_total\{.*\} [1-9]/m);
    expect(text).toMatch(/^kong_datastore_reachable(\{.*\})? 1$/m);
  });

  it.each(['PROXY', 'ADMIN', 'STATUS'])(
    'keeps its %s port: a second gateway ends with 1 and says who is in the way',
    async (kind) => {
      const { gateway } = proxy;
      const taken =
        { PROXY: gateway.proxyUrl, ADMIN: gateway.adminUrl, STATUS: gateway.statusUrl }[kind] ?? '';
      const address = taken.replace('http://', '');
      const { exitCode, stderr } = await runStart({
        TOLLGATE_PROXY_LISTEN: `127.0.0.1:${await findFreePort()}`,
        TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
        TOLLGATE_STATUS_LISTEN: `127.0.0.1:${await findFreePort()}`,
        [`TOLLGATE_${kind}_LISTEN`]: address,
        DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      });
      expect(exitCode).toBe(1);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(stderr).toContain(`${address} is taken`);
      expect(stderr).toContain(`${kind.toLowerCase()}_listen`);
    },
  );

  it('serves the same configuration again after its data plane was killed', async () => {
    const [dataPlane] = listChildren(proxy.gateway.pid);
    expect(dataPlane).toBeGreaterThan(1);
    process.kill(dataPlane as number, 'SIGKILL');
    await until(
      async () => listChildren(proxy.gateway.pid),
      (children) => children.some((child) => child !== dataPlane),
    );
    const isUp = () =>
      proxy.send(host).then(
        ({ status }) => status,
        () => 0,
      );
    expect(await until(isUp, (status) => status !== 0)).toBe(200);
  });

  it('serves what was written while its data plane was away', async () => {
    const [dataPlane] = listChildren(proxy.gateway.pid);
    process.kill(dataPlane as number, 'SIGKILL');
    const during = await Promise.all([1, 2, 3, 4, 5].map(() => proxy.expose()));
    const late = await proxy.expose();
    await until(
      () => fetch(`${proxy.gateway.statusUrl}/status/ready`).then(({ status }) => status),
      (status) => status === 200,
    );
    for (const exposed of [...during, late]) expect((await proxy.send(exposed.host)).status).toBe(200);
  });
});

describe('a node that is asked to stop', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('finishes the requests in flight, ends with 0 and keeps its configuration', async () => {
    const upstream = await startUpstream();
    const env = { DATABASE_URL: database.url, TOLLGATE_WORKERS: '2' };
    const first = await startGateway({ env });
    onTestFinished(() => first.kill());
    const proxy = proxyOf(first, upstream);
    const { host } = await proxy.expose();
    const slow = Array.from({ length: 8 }, () => proxy.send(host, '/delay/600'));
    await until(
      async () => upstream.requestCount,
      (count) => count === 8,
    );
    // Throws unless the exit code is 0.
    await first.stop();
    const answers = await Promise.all(slow);
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(answers[0]?.header('connection')).toBe('close');
    await expect(sendRequest(first.proxyPort)).rejects.toThrow('ECONNREFUSED');

    const second = await startGateway({ env });
    onTestFinished(() => second.kill());
    expect((await proxyOf(second, upstream).send(host)).status).toBe(200);
    await second.stop();
    await upstream.stop();
  });

  it('lets a streamed answer come to its end', async () => {
    let finish = () => {};
    const upstream = await serve((_, response) => {
      response.write('begun ');
      finish = () => response.end('and ended');
    });
    const gateway = await startGateway({ env: { DATABASE_URL: database.url } });
    onTestFinished(() => gateway.kill());
    const proxy = proxyOf(gateway, { host: '127.0.0.1', port: upstream.port } as never);
    const { host } = await proxy.expose();
    const answer = await openAnswer(gateway.proxyPort, { headers: { Host: host } });
    const stopped = gateway.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    finish();
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('begun and ended');
    await stopped;
    await upstream.stop();
  });

  it('leaves no process behind when it is killed itself', async () => {
    const gateway = await startGateway({ env: { DATABASE_URL: database.url } });
    onTestFinished(() => gateway.kill());
    const children = listChildren(gateway.pid);
    expect(children.length).toBeGreaterThan(0);
    await gateway.kill();
    const isAlive = (pid: number) => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    await until(
      async () => children.filter(isAlive),
      (alive) => alive.length === 0,
    );
    await gateway.stop();
  });
});
