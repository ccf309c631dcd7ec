/** A store over an empty Postgres database that has the tables of this build and goes when the test file is done. */
import type { EntityDefinition } from '../../../../core/entities/define-entity.ts';
import { createEntityStore } from '../../../../core/store/create-entity-store.ts';
import { openDatabase } from '../../../../core/store/database.ts';
import type { EntityStore } from '../../../../core/store/entity-store.ts';
import { bootstrap } from '../../../../core/store/migrator.ts';
import { createTestDatabase } from '../../../support/test-database.ts';

export interface TestStore {
  readonly store: EntityStore;
  /** postgres:// URL of its database, for a second node. */
  readonly url: string;
  close(): Promise<void>;
}

export async function openTestStore(entities: readonly EntityDefinition[]): Promise<TestStore> {
  const database = await createTestDatabase();
  const opened = await openStoreAt(database.url, entities);
  return {
    ...opened,
    close: async () => {
      await opened.close();
      await database.drop();
    },
  };
}

/** Another store over the same database, as a second node has it. */
export async function openStoreAt(url: string, entities: readonly EntityDefinition[]): Promise<TestStore> {
  const database = await openDatabase({
    kind: 'postgres',
    connectionString: url,
    limits: { maxConnections: 4 },
  });
  await bootstrap(database);
  return { store: createEntityStore(database, entities), url, close: () => database.close() };
}
