/**
 * Runs once before all test files: finds or starts the servers they share. A server that cannot be had does not
 * stop the run; the tests that need it fail with the reason kept here.
 */
import { findPostgres } from './find-postgres.ts';

/** Handed to the processes of the test files through the environment: the server, or why there is none. */
export const DATABASE_URL_VARIABLE = 'TEST_DATABASE_URL';
export const DATABASE_PROBLEM_VARIABLE = 'TEST_DATABASE_PROBLEM';

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  try {
    const postgres = await findPostgres();
    process.env[DATABASE_URL_VARIABLE] = postgres.url;
    return () => postgres.stop();
  } catch (error) {
    process.env[DATABASE_PROBLEM_VARIABLE] = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}
