/** Gateways on a Postgres database of their own, for measurements that need rows or several nodes. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { findFreePort } from './free-port.ts';
import { answersOk, type OwnedProcess, startProcess, waitUntilReady } from './owned-process.ts';

const COMMAND = join(import.meta.dirname, '..', 'core', 'cli.ts');
const DEFAULT_SERVER = 'postgres://postgres@127.0.0.1:5432/postgres';
const READY_TIMEOUT_MS = 120_000;

export interface TemporaryDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** On the server of DATABASE_URL, or the local one; its user must be allowed to create databases. */
export async function createDatabase(): Promise<TemporaryDatabase> {
  const server = process.env['DATABASE_URL'] ?? DEFAULT_SERVER;
  const name = `tollgate_bench_${randomUUID().replaceAll('-', '')}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server, `drop database if exists ${name} with (force)`) };
}

export async function execute(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export interface StartedGateway {
  readonly process: OwnedProcess;
  readonly proxyPort: number;
  readonly adminUrl: string;
  readonly statusUrl: string;
  stop(): Promise<void>;
}

export async function startGateway(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<StartedGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  const [proxyPort, admin, status] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const owned = startProcess({
    command: process.execPath,
    args: [COMMAND, 'start'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATABASE_URL: databaseUrl,
      TOLLGATE_PROXY_LISTEN: `127.0.0.1:${proxyPort}`,
      TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${admin}`,
      TOLLGATE_STATUS_LISTEN: `127.0.0.1:${status}`,
      TOLLGATE_WORKERS: '1',
      TOLLGATE_DATA_DIR: join(folder, 'data'),
      TOLLGATE_LOG_LEVEL: 'warn',
      ...env,
    },
    logFile: join(folder, 'output.log'),
  });
  const stop = async () => {
    await owned.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const statusUrl = `http://127.0.0.1:${status}`;
  try {
    await waitUntilReady(owned, () => answersOk(`${statusUrl}/status/ready`), READY_TIMEOUT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { process: owned, proxyPort, adminUrl: `http://127.0.0.1:${admin}`, statusUrl, stop };
}

/** Throws with the gateway's own answer when it refuses. */
export async function write(
  { adminUrl }: StartedGateway,
  method: string,
  path: string,
  body: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(adminUrl + path, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** The value below which this share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
