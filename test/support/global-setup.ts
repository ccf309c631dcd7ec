/**
 * Runs once before all test files: finds or starts the servers they share. A server that cannot be had does not
 * stop the run; the tests that need it fail with the reason kept here.
 */
import { findPostgres } from './find-postgres.ts';
import { findRedis } from './find-redis.ts';

/** Handed to the processes of the test files through the environment: the server, or why there is none. */
export const DATABASE_URL_VARIABLE = 'TEST_DATABASE_URL';
export const DATABASE_PROBLEM_VARIABLE = 'TEST_DATABASE_PROBLEM';
export const REDIS_URL_VARIABLE = 'TEST_REDIS_URL';
export const REDIS_PROBLEM_VARIABLE = 'TEST_REDIS_PROBLEM';

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

export async function setup(): Promise<() => Promise<void>> {
  const servers = [
    await offer(findPostgres, DATABASE_URL_VARIABLE, DATABASE_PROBLEM_VARIABLE),
    await offer(findRedis, REDIS_URL_VARIABLE, REDIS_PROBLEM_VARIABLE),
  ];
  return async () => {
    for (const server of servers) await server?.stop();
  };
}

async function offer(
  find: () => Promise<Server>,
  urlVariable: string,
  problemVariable: string,
): Promise<Server | undefined> {
  try {
    const server = await find();
    process.env[urlVariable] = server.url;
    return server;
  } catch (error) {
    process.env[problemVariable] = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}
