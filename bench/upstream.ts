/** The origin behind every subject: nginx where it is installed, else a small Node.js server. Never measured. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { answersOk, startProcess, waitUntilReady } from './owned-process.ts';
import { UPSTREAM_ANSWER } from './scenario.ts';
import { findNginx, startNginx } from './subjects/start-nginx.ts';

export interface Upstream {
  readonly port: number;
  readonly kind: 'nginx' | 'node';
  /** Connections accepted since its start. */
  countConnections(): Promise<number>;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 10_000;

/** `address` is loopback unless a subject in a container must reach it. */
export async function startUpstream(folder: string, address: string): Promise<Upstream> {
  const port = await findFreePort();
  const build = await findNginx();
  mkdirSync(folder, { recursive: true });
  const owned =
    build === undefined
      ? startProcess({
          command: process.execPath,
          args: [join(import.meta.dirname, 'node-upstream.ts'), address, String(port)],
          logFile: join(folder, 'output.log'),
        })
      : startNginx({
          program: build.program,
          template: 'upstream.conf',
          folder,
          values: { listen: `${address}:${port}`, answer: UPSTREAM_ANSWER },
        });
  await waitUntilReady(owned, () => answersOk(`http://127.0.0.1:${port}/`), READY_TIMEOUT_MS);
  return {
    port,
    kind: build === undefined ? 'node' : 'nginx',
    countConnections: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/connections`);
      return parseAcceptedConnections(await answer.text());
    },
    stop: owned.stop,
  };
}

/** Reads the status page of nginx: the first figure below `server accepts handled requests`. */
export function parseAcceptedConnections(page: string): number {
  const accepted = /server accepts handled requests\s+(\d+)/.exec(page)?.[1];
  if (accepted === undefined) throw new Error(`not a status page of nginx: '${page}'`);
  return Number(accepted);
}
