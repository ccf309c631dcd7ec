/** A gateway as an operator starts it: its own process, free ports, a database and data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from './free-port.ts';
import { createTestDatabase } from './test-database.ts';

export interface Gateway {
  /** http://127.0.0.1:port of the three listeners. */
  readonly proxyUrl: string;
  readonly adminUrl: string;
  readonly statusUrl: string;
  readonly proxyPort: number;
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** SIGTERM; throws when it does not end by itself with exit code 0. Removes database and folder. */
  stop(): Promise<void>;
  /** SIGKILL, for tests of what is left behind. Removes nothing; call `stop` of a successor or this one after. */
  kill(): Promise<void>;
}

export interface GatewayOptions {
  /**
   * Environment of the gateway besides PATH and HOME. Without a word about the database it gets an empty
   * Postgres one; with TOLLGATE_DATABASE or DATABASE_URL the test decides. Default: one worker.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the proxy besides its usual one, as they are written in settings. */
  readonly listeners?: readonly string[];
  /** The program. Default: that of this repository. */
  readonly program?: string;
}

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));
const START_TIMEOUT_MS = 40_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 25;

/**
 * Starts a gateway and waits until it is ready to proxy. With `TEST_INGRESS` = `strict` in the test's environment its
 * proxy is on the strict ingress. Throws with its output when it does not get there.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const releases: (() => Promise<void> | void)[] = [];
  const release = async () => {
    for (const undo of releases.splice(0).reverse()) await undo();
  };
  try {
    const dataFolder = mkdtempSync(join(tmpdir(), 'tollgate-data-'));
    releases.push(() => rmSync(dataFolder, { recursive: true, force: true }));
    const given = options.env ?? {};
    const env: Record<string, string> = { TOLLGATE_WORKERS: '1', TOLLGATE_DATA_DIR: dataFolder, ...given };
    if (given['TOLLGATE_DATABASE'] === undefined && given['DATABASE_URL'] === undefined) {
      const database = await createTestDatabase();
      releases.push(() => database.drop());
      env['DATABASE_URL'] = database.url;
    }
    return await startProcess(options.program ?? CLI, env, options.listeners ?? [], release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function startProcess(
  program: string,
  env: Record<string, string>,
  listeners: readonly string[],
  release: () => Promise<void>,
): Promise<Gateway> {
  const [proxyPort, adminPort, statusPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const child = spawn(process.execPath, [program, 'start'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TOLLGATE_PROXY_LISTEN: [
        `127.0.0.1:${proxyPort} ${process.env['TEST_INGRESS'] ?? ''}`,
        ...listeners,
      ].join(),
      TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      TOLLGATE_STATUS_LISTEN: `127.0.0.1:${statusPort}`,
      ...env,
    },
  });
  const killWithTest = () => child.kill('SIGKILL');
  process.once('exit', killWithTest);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('exit', () => {
      process.off('exit', killWithTest);
      // Its output ends with it, unless a process it started holds on to it.
      setTimeout(resolve, 500);
    });
  });

  const gateway: Gateway = {
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    statusUrl: `http://127.0.0.1:${statusPort}`,
    proxyPort,
    pid: child.pid ?? -1,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      const wasRunning = hasNotEnded(child);
      if (wasRunning) await endInTime(child, exited);
      await release();
      if (wasRunning && child.exitCode !== 0) throw new Error(describeEnd(child, output));
    },
  };
  try {
    await waitUntilReady(`${gateway.statusUrl}/status/ready`, child);
  } catch (error) {
    await gateway.kill();
    throw new Error(`${String(error)}\n${describeEnd(child, output)}`);
  }
  return gateway;
}

function hasNotEnded(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (hasNotEnded(child)) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      if (response.status === 200) return;
    } catch {
      // Nothing listens yet.
    }
    if (Date.now() > deadlineMs) throw new Error(`the gateway was not ready after ${START_TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('the gateway ended while it was starting');
}

async function endInTime(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}

function describeEnd(child: ChildProcess, output: string): string {
  const end = child.signalCode ?? `exit code ${child.exitCode}`;
  return `the gateway ended with ${end}; it printed:\n${output}`;
}
