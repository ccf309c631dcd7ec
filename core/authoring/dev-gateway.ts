/** The gateway an author tries a plugin in: one that runs already, or one of its own for as long as it is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadSettings } from '../settings/load-settings.ts';
import { AuthoringError } from './authoring-error.ts';
import { isGatewayAt } from './gateway-client.ts';

const PROGRAM = fileURLToPath(new URL('../cli.ts', import.meta.url));
const DATA_FOLDER = '.tollgate';
const POLL_MS = 50;

export interface DevGateway {
  readonly adminUrl: string;
  /** Ends the gateway if it is the author's own. */
  stop(): Promise<void>;
}

/**
 * `adminUrl` undefined: where the settings in the environment say; and when nobody answers there, a gateway with these
 * settings is started, its data in `root` unless they say otherwise. Throws AuthoringError when there is none then.
 */
export async function findGateway(adminUrl: string | undefined, root: string): Promise<DevGateway> {
  const url = (adminUrl ?? configuredAdminUrl()).replace(/\/+$/, '');
  if (await isGatewayAt(url)) return { adminUrl: url, stop: async () => {} };
  if (adminUrl !== undefined) throw new AuthoringError(`no gateway answers at ${url}`);
  return startGateway(url, root);
}

function configuredAdminUrl(): string {
  const [listen] = loadSettings(process.env).settings.adminListen;
  if (listen === undefined) throw new AuthoringError('the Admin API is off: name another with --admin-url');
  const { address, port } = listen;
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function startGateway(adminUrl: string, root: string): Promise<DevGateway> {
  const env = { TOLLGATE_DATA_DIR: join(root, DATA_FOLDER), ...process.env };
  const gateway = spawn(process.execPath, [PROGRAM, 'start'], { env, stdio: 'inherit' });
  const ended = new Promise<void>((resolve) => gateway.once('exit', () => resolve()));
  while (!(await isGatewayAt(adminUrl))) {
    if (hasEnded(gateway)) throw new AuthoringError('the gateway did not start');
    await delay(POLL_MS);
  }
  return {
    adminUrl,
    async stop() {
      if (!hasEnded(gateway)) gateway.kill('SIGTERM');
      await ended;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
