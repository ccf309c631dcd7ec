/**
 * Makes sure, before anything is started, that the node can have its ports. Proxy workers share theirs by
 * SO_REUSEPORT, so a second gateway would bind it without an error and take half of the first one's connections.
 */
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { formatListener } from './settings/listener-kind.ts';
import type { Settings } from './settings/load-settings.ts';

const MAX_TRIES = 6;
const PAUSE_MS = 100;

type Listener = Settings['proxyListen'][number];

/** The message says everything the operator needs. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Throws ListenError naming the address and the setting of the first listener that cannot be bound. */
export async function checkPorts(settings: Settings): Promise<void> {
  const groups: readonly (readonly [string, readonly Listener[]])[] = [
    ['proxy_listen', settings.proxyListen],
    ['admin_listen', settings.adminListen],
    ['status_listen', settings.statusListen],
  ];
  for (const [setting, listeners] of groups) {
    for (const listener of listeners) await tryBinding(setting, listener);
  }
}

/** A node that was killed gives its port up a moment later, when its data plane has noticed: hence several tries. */
async function tryBinding(setting: string, listener: Listener): Promise<void> {
  for (let tries = 1; ; tries++) {
    const error = await findProblem(listener);
    if (error === undefined) return;
    if (error.code !== 'EADDRINUSE' || tries === MAX_TRIES) {
      throw new ListenError(`${formatListener(listener)} ${explain(error)} (setting ${setting})`);
    }
    await setTimeout(PAUSE_MS);
  }
}

function findProblem({ address, port }: Listener): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'is taken: another program, maybe another gateway, listens there';
    case 'EACCES':
      return 'may not be used: ports below 1024 need a privilege';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'cannot be used: it is no address of this machine';
    default:
      return `cannot be used: ${error.message}`;
  }
}
