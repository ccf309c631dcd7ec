/**
 * Finds a Postgres server for the tests, or starts one. In this order: TEST_DATABASE_URL; a server on the
 * default local port; Docker; the server's programs on this machine, installed first when root on Debian.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { findFreePort } from './free-port.ts';

export interface PostgresServer {
  /** URL of a database on it as a user who may create databases. */
  readonly url: string;
  /** Where it came from, for the person who reads the test output. */
  readonly origin: string;
  /** Ends the server if it was started for the tests. */
  stop(): Promise<void>;
}

const DOCKER_IMAGE = 'postgres:17-alpine';
const DEBIAN_PROGRAMS = '/usr/lib/postgresql';
const START_TIMEOUT_MS = 60_000;

/** Throws with the reasons of all attempts when no server can be had. */
export async function findPostgres(): Promise<PostgresServer> {
  const givenUrl = process.env['TEST_DATABASE_URL'];
  if (givenUrl !== undefined && givenUrl !== '') return useGivenServer(givenUrl);
  const failures: string[] = [];
  for (const attempt of [useLocalServer, startInDocker, startFromPrograms]) {
    try {
      return await attempt();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no Postgres server for the tests: ${failures.join('; ')}`);
}

/** A server that was named is used or the run says why not: another one in silence would surprise. */
async function useGivenServer(url: string): Promise<PostgresServer> {
  await checkServer(url);
  return { url, origin: 'TEST_DATABASE_URL', stop: async () => {} };
}

async function useLocalServer(): Promise<PostgresServer> {
  const users = new Set([process.env['PGUSER'], 'postgres', userInfo().username].filter((user) => user));
  const password = process.env['PGPASSWORD'];
  let failure: unknown;
  for (const user of users) {
    const login = password === undefined ? user : `${user}:${encodeURIComponent(password)}`;
    const url = `postgres://${login}@127.0.0.1:5432/postgres`;
    try {
      await checkServer(url);
      return { url, origin: '127.0.0.1:5432', stop: async () => {} };
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`127.0.0.1:5432 cannot be used (${String(failure)})`);
}

async function startInDocker(): Promise<PostgresServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(DOCKER_IMAGE)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withExposedPorts(5432)
    // The image starts the server twice: once to set it up, once for good.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return {
    url: `postgres://postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    origin: `Docker image ${DOCKER_IMAGE}`,
    stop: async () => void (await container.stop()),
  };
}

/** A throw-away server in a temporary folder, from the programs of the Debian package. */
export async function startFromPrograms(): Promise<PostgresServer> {
  const programs = findPrograms() ?? installPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-postgres-'));
  const port = await findFreePort();
  // Postgres refuses to run as root; the package brings a user of its own.
  const isRoot = process.getuid?.() === 0;
  const asServerUser = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  if (isRoot) runOrThrow(['chown', 'postgres:postgres', folder]);
  const data = join(folder, 'data');
  runOrThrow([...asServerUser, join(programs, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-N']);

  const options = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-k', folder];
  const [command = '', ...args] = [...asServerUser, join(programs, 'postgres'), '-D', data, ...options];
  const server = spawn(command, args, { stdio: 'ignore', cwd: folder });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const stop = async () => {
    server.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForServer(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, origin: `${programs}/postgres`, stop };
}

function findPrograms(): string | undefined {
  if (!existsSync(DEBIAN_PROGRAMS)) return undefined;
  const folders = readdirSync(DEBIAN_PROGRAMS).map((version) => join(DEBIAN_PROGRAMS, version, 'bin'));
  return folders.findLast((folder) => existsSync(join(folder, 'initdb')));
}

function installPrograms(): string {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(
      `there are no server programs in ${DEBIAN_PROGRAMS}, and only root on Debian can install them`,
    );
  }
  const noQuestions = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  runOrThrow(['apt-get', 'update', '-q'], noQuestions);
  runOrThrow(['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'postgresql'], noQuestions);
  const programs = findPrograms();
  if (programs === undefined)
    throw new Error(`the package postgresql brought no programs to ${DEBIAN_PROGRAMS}`);
  return programs;
}

function runOrThrow([command = '', ...args]: readonly string[], env = process.env): void {
  const result = spawnSync(command, args, { encoding: 'utf8', env, cwd: tmpdir() });
  if (result.status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${result.error?.message ?? result.stderr.trim()}`);
}

async function waitForServer(url: string): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await checkServer(url);
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Throws unless the server answers and lets this user create databases. */
async function checkServer(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const rights = await client.query<{ allowed: boolean }>(
      'select rolsuper or rolcreatedb as allowed from pg_roles where rolname = current_user',
    );
    if (rights.rows[0]?.allowed !== true) throw new Error('this user may not create databases');
  } finally {
    await client.end().catch(() => {});
  }
}
