/** The databases the store's promises are checked on: a Postgres database of its own, and PGlite in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeDatabase, type Database, openDatabase } from '../../core/store/database.ts';
import { createTestDatabase } from '../support/test-database.ts';

export interface TestDatabase {
  readonly database: Database;
  dispose(): Promise<void>;
}

export const DATABASE_KINDS = { Postgres: openPostgres, PGlite: openEmbedded } as const;

async function openPostgres(): Promise<TestDatabase> {
  const { url, drop } = await createTestDatabase();
  const database = await openDatabase({ kind: 'postgres', connectionString: url });
  return {
    database,
    dispose: async () => {
      await closeDatabase(database);
      await drop();
    },
  };
}

async function openEmbedded(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'store-test-'));
  const database = await openDatabase({ kind: 'embedded', dataDir: join(folder, 'data') });
  return {
    database,
    dispose: async () => {
      await closeDatabase(database);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
