/**
 * Finds a Redis server for the tests, or starts one. In this order: TEST_REDIS_URL; a server on the default local
 * port; Docker; the server's program on this machine, installed first when root on Debian.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findFreePort } from './free-port.ts';

export interface RedisServer {
  /** redis:// URL. */
  readonly url: string;
  /** Where it came from, for the person who reads the test output. */
  readonly origin: string;
  /** Ends the server if it was started for the tests. */
  stop(): Promise<void>;
}

/** A server that belongs to one test. */
export interface OwnRedisServer extends RedisServer {
  readonly port: number;
  /** SIGKILL: nothing is said to its clients. */
  kill(): Promise<void>;
  /** Stops the process in its tracks: connections stay open and nobody answers. `thaw` lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Starts it anew on the same port, empty. */
  restart(): Promise<void>;
}

const DOCKER_IMAGE = 'redis:7-alpine';
const START_TIMEOUT_MS = 30_000;

/** Throws with the reasons of all attempts when no server can be had. */
export async function findRedis(): Promise<RedisServer> {
  const givenUrl = process.env['TEST_REDIS_URL'];
  if (givenUrl !== undefined && givenUrl !== '') return useServer(givenUrl, 'TEST_REDIS_URL');
  const failures: string[] = [];
  const attempts = [
    () => useServer('redis://127.0.0.1:6379', '127.0.0.1:6379'),
    startInDocker,
    () => startRedisServer(),
  ];
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no Redis server for the tests: ${failures.join('; ')}`);
}

async function useServer(url: string, origin: string): Promise<RedisServer> {
  await checkServer(url, origin);
  return { url, origin, stop: async () => {} };
}

async function startInDocker(): Promise<RedisServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(DOCKER_IMAGE)
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    origin: `Docker image ${DOCKER_IMAGE}`,
    stop: async () => void (await container.stop()),
  };
}

/**
 * A throw-away server from the program of the Debian package, keeping nothing on disk. `options` are further ones of
 * its command line, in which `{port}` stands for its port; `--port 0` among them switches plain TCP off.
 */
export async function startRedisServer(
  options: readonly string[] = [],
  readyUrl = (port: number) => `redis://127.0.0.1:${port}`,
): Promise<OwnRedisServer> {
  const program = findProgram() ?? installProgram();
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-redis-'));
  const port = await findFreePort();
  const url = readyUrl(port);
  let server: ChildProcess;
  let ended: Promise<void>;
  const start = async () => {
    // A sentinel insists on a file of its own to write to; an empty one does for everybody.
    const file = join(folder, 'redis.conf');
    writeFileSync(file, '');
    const usual = [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ];
    const own = options.map((option) => option.replace('{port}', `${port}`));
    server = spawn(program, [file, ...usual, ...own], { stdio: 'ignore' });
    ended = new Promise((resolve) => {
      server.once('exit', () => resolve());
      server.once('error', () => resolve());
    });
    await Promise.race([
      waitForServer(url),
      ended.then(() => Promise.reject(new Error(`${program} ended while it was starting`))),
    ]);
  };
  const end = async (signal: NodeJS.Signals) => {
    process.off('exit', endWithTest);
    server.kill('SIGCONT');
    server.kill(signal);
    await ended;
  };
  const endWithTest = () => void server.kill('SIGKILL');
  const stop = async () => {
    await end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endWithTest);
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    origin: program,
    stop,
    kill: () => end('SIGKILL'),
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    restart: async () => {
      process.once('exit', endWithTest);
      await start();
    },
  };
}

function findProgram(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v redis-server'], { encoding: 'utf8' }).stdout.trim();
  return found === '' ? undefined : found;
}

function installProgram(): string {
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (!canInstall) throw new Error('there is no redis-server, and only root on Debian can install it');
  const noQuestions = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  runOrThrow(['apt-get', 'update', '-q'], noQuestions);
  runOrThrow(['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'redis-server'], noQuestions);
  const program = findProgram();
  if (program === undefined) throw new Error('the package redis-server brought no program');
  return program;
}

function runOrThrow([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): void {
  const result = spawnSync(command, args, { encoding: 'utf8', env, cwd: tmpdir() });
  if (result.status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${result.error?.message ?? result.stderr.trim()}`);
}

async function waitForServer(url: string): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await checkServer(url, url);
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Throws unless the server answers. A server that asks for a password the URL has not got answers too. */
async function checkServer(url: string, name: string): Promise<void> {
  const tls = url.startsWith('rediss:') ? { tls: { rejectUnauthorized: false } } : {};
  const client = new Redis(url, {
    ...tls,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
  });
  let failure = 'it does not answer';
  client.on('error', (error: Error) => {
    failure = error.message;
  });
  try {
    await client.connect();
    await client.ping().catch((error: Error) => {
      if (!error.message.startsWith('NOAUTH')) throw error;
    });
  } catch {
    throw new Error(`${name} cannot be used (${failure})`);
  } finally {
    client.disconnect();
  }
}
