/** `tollgate plugin dev`: what an author saves is what the next request meets. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { pollUntil } from '../support/poll-until.ts';
import { startProxy } from './support/start-proxy.ts';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));
const TIMEOUT_MS = 120_000;

let folder: string;
let running: ChildProcess | undefined;
let output = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-dev-'));
  output = '';
  spawnSync(process.execPath, [CLI, 'plugin', 'new', 'hello'], { cwd: folder });
});

afterEach(() => {
  if (running?.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function startDev(args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  running = spawn(process.execPath, [CLI, 'plugin', 'dev', 'hello', ...args], {
    cwd: folder,
    // A group of its own, to be ended with the gateway it may have started.
    detached: true,
    env: { PATH: process.env['PATH'], ...env },
  });
  for (const stream of [running.stdout, running.stderr]) stream?.on('data', (chunk) => (output += chunk));
}

const untilPrinted = (text: string) =>
  pollUntil(
    text,
    () => output,
    (printed) => printed.includes(text),
  );

/** Resolves to the exit code. */
async function stopDev(): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => running?.once('exit', resolve));
  running?.kill('SIGINT');
  return ended;
}

function edit(from: string, to: string): void {
  const path = join(folder, 'hello/index.ts');
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

it('serves each version that is saved, and goes on after one that cannot be', {
  timeout: TIMEOUT_MS,
}, async () => {
  const proxy = await startProxy();
  try {
    startDev(['--admin-url', proxy.gateway.adminUrl]);
    await untilPrinted('hello 0.1.0 is live');
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'hello', config: { text: 'one' } });
    const greeting = async () => (await proxy.send(host)).header('x-greeting');
    expect(await greeting()).toBe('one');

    edit('setHeader(config.header, config.text);\n  },\n});', "setHeader(config.header, 'two');\n  },\n});");
    await pollUntil('the greeting', greeting, (text) => text === 'two');

    edit("'two');", "'three'");
    await untilPrinted('not built: plugin package');
    expect(output).toMatch(/index\.ts:\d+:\d+: Expected/);
    edit('s.string({ required: true,', 's.integer({ required: true,');
    edit("'three'", "'three');");
    await untilPrinted('1 stored configurations do not fit this version');
    expect(output).toContain('"text":"expected an integer"');
    expect(await greeting()).toBe('two');

    edit('s.integer({ required: true,', 's.string({ required: true,');
    await pollUntil('the greeting', greeting, (text) => text === 'three');
    expect(await stopDev()).toBe(0);
  } finally {
    await proxy.stop();
  }
});

it('starts a gateway where none answers, and ends it', { timeout: TIMEOUT_MS }, async () => {
  const [proxyPort, adminPort, statusPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  startDev([], {
    TOLLGATE_PROXY_LISTEN: `127.0.0.1:${proxyPort}`,
    TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    TOLLGATE_STATUS_LISTEN: `127.0.0.1:${statusPort}`,
    TOLLGATE_WORKERS: '1',
  });
  await untilPrinted('hello 0.1.0 is live');
  const schema = await fetch(`http://127.0.0.1:${adminPort}/schemas/plugins/hello`);
  expect(schema.status).toBe(200);
  expect(await stopDev()).toBe(0);
  await expect(fetch(`http://127.0.0.1:${adminPort}/`)).rejects.toThrow();
});

it('says that no gateway answers where it was told to look', { timeout: TIMEOUT_MS }, async () => {
  startDev(['--admin-url', `http://127.0.0.1:${await findFreePort()}`]);
  const code = await new Promise<number | null>((resolve) => running?.once('exit', resolve));
  expect([code, output]).toEqual([1, expect.stringMatching(/^tollgate: no gateway answers at http:/)]);
});
