/** The Redis that the tests of a run share. Keys are told apart by the ids in them. */
import { Redis } from 'ioredis';
import { REDIS_PROBLEM_VARIABLE, REDIS_URL_VARIABLE } from './global-setup.ts';

export interface TestRedis {
  readonly host: string;
  readonly port: number;
  /** Members of a plugin's `redis` record that lead there. */
  readonly settings: { readonly host: string; readonly port: number };
  /** For looking at what was written. */
  readonly client: Redis;
  /** Ends the client. */
  close(): void;
}

/** Throws with the reason when there is no server: a test that needs one fails and says why. */
export function openTestRedis(): TestRedis {
  const problem = process.env[REDIS_PROBLEM_VARIABLE];
  if (problem !== undefined) throw new Error(problem);
  const url = process.env[REDIS_URL_VARIABLE];
  if (url === undefined) throw new Error('the global setup of the tests has not run');
  return openRedis(url);
}

/** The same for a server that a test has started itself. */
export function openRedis(url: string): TestRedis {
  const { hostname: host, port: portText } = new URL(url);
  const port = Number(portText || 6379);
  const client = new Redis(url, { protocol: 2, disableClientInfo: true });
  client.on('error', () => {});
  return { host, port, settings: { host, port }, client, close: () => client.disconnect() };
}
