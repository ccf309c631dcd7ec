/** A Postgres database of its own for a test file. */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DATABASE_PROBLEM_VARIABLE, DATABASE_URL_VARIABLE } from './global-setup.ts';

export interface TestDatabase {
  /** postgres:// URL of the empty database. */
  readonly url: string;
  /** Removes it, connections of others included. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database with a random name on the server that the run found or started. Throws with the
 * reason when there is no server: a test that needs one fails and says why.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const problem = process.env[DATABASE_PROBLEM_VARIABLE];
  if (problem !== undefined) throw new Error(problem);
  const serverUrl = process.env[DATABASE_URL_VARIABLE];
  if (serverUrl === undefined) throw new Error('the global setup of the tests has not run');
  const name = `tollgate_test_${randomUUID().replaceAll('-', '')}`;
  await runOnServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => runOnServer(serverUrl, `drop database if exists ${name} with (force)`),
  };
}

async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
