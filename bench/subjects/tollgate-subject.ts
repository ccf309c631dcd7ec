/** This gateway, started and configured as a user would: by command line, environment and Admin API. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '../free-port.ts';
import { answersOk, startProcess, waitUntilReady } from '../owned-process.ts';
import { listProcessTree } from '../process-usage.ts';
import { seedGateway, seedTracing } from '../seed-gateway.ts';
import {
  type RunningSubject,
  type Subject,
  type SubjectProcess,
  type SubjectSettings,
  SubjectUnavailable,
} from './subject.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const COMMAND = join(REPOSITORY, 'core', 'cli.ts');
/** The embedded database needs a few seconds to be made. */
const READY_TIMEOUT_MS = 60_000;

export const tollgateSubject: Subject = {
  name: 'tollgate',
  scenarios: ['plain', 'three-plugins'],
  start: (settings) => startTollgate(settings),
};

/** The same with spans recorded and one trace in a hundred exported, as Kong's default rate has it. */
export const tracedTollgateSubject: Subject = {
  name: 'tollgate-traced',
  scenarios: ['plain', 'three-plugins'],
  start: (settings) =>
    startTollgate(
      settings,
      { TOLLGATE_TRACING_INSTRUMENTATIONS: 'all', TOLLGATE_TRACING_SAMPLING_RATE: '0.01' },
      // Nobody decodes what arrives there, but it is answered as a collector would.
      (adminUrl, upstreamUrl) => seedTracing(adminUrl, `${upstreamUrl}/v1/traces`),
    ),
};

async function startTollgate(
  { folder, upstreamPort, workers }: SubjectSettings,
  environment: Readonly<Record<string, string>> = {},
  seedMore: (adminUrl: string, upstreamUrl: string) => Promise<void> = async () => {},
): Promise<RunningSubject> {
  if (!existsSync(COMMAND)) throw new SubjectUnavailable('core/cli.ts does not exist');
  mkdirSync(folder, { recursive: true });
  const proxy = `127.0.0.1:${await findFreePort()}`;
  const admin = `127.0.0.1:${await findFreePort()}`;
  const status = `127.0.0.1:${await findFreePort()}`;
  const owned = startProcess({
    command: process.execPath,
    args: [COMMAND, 'start'],
    env: {
      ...environmentWithoutSettings(),
      TOLLGATE_PROXY_LISTEN: proxy,
      TOLLGATE_ADMIN_LISTEN: admin,
      TOLLGATE_STATUS_LISTEN: status,
      TOLLGATE_WORKERS: String(workers),
      TOLLGATE_DATABASE: 'embedded',
      TOLLGATE_DATA_DIR: join(folder, 'data'),
      TOLLGATE_LOG_LEVEL: 'warn',
      ...environment,
    },
    logFile: join(folder, 'output.log'),
  });
  try {
    await waitUntilReady(owned, () => answersOk(`http://${status}/status/ready`), READY_TIMEOUT_MS);
    const upstreamUrl = `http://127.0.0.1:${upstreamPort}`;
    await seedGateway(`http://${admin}`, upstreamUrl);
    await seedMore(`http://${admin}`, upstreamUrl);
  } catch (error) {
    await owned.stop();
    throw new Error('Tollgate could not be started and configured', { cause: error });
  }
  return {
    version: readVersion(),
    proxyUrl: `http://${proxy}`,
    metricsUrl: `http://${status}/metrics`,
    processes: () => listParts(owned.pid),
    readOutput: owned.readOutput,
    stop: owned.stop,
  };
}

/** The started process is the control process; what it starts carries the traffic. */
function listParts(controlPid: number): SubjectProcess[] {
  return listProcessTree(controlPid).map(({ pid }) => ({
    pid,
    part: pid === controlPid ? 'control' : 'data plane',
  }));
}

/** Settings of the shell must not change what is measured. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  const isSetting = (name: string): boolean => /^(TOLLGATE_|KONG_|DATABASE_URL$|REDIS_URL$)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}
