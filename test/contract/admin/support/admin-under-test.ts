/** The Admin API over a real store in a database of its own, with a node and a plugin catalogue made for tests. */
import type { FastifyInstance } from 'fastify';
import { type AdminDependencies, createAdminApi } from '../../../../core/admin/create-admin-api.ts';
import type { NodeInformation } from '../../../../core/admin/node-information.ts';
import type { ConfigurationChange } from '../../../../core/entities/configuration-change.ts';
import type { EntityDefinition } from '../../../../core/entities/define-entity.ts';
import { listEntities } from '../../../../core/entities/registry.ts';
import type { EntityStore } from '../../../../core/store/entity-store.ts';
import { type AdminCaller, createCaller } from './call-admin.ts';
import { openTestStore } from './open-test-store.ts';
import { createTestCatalog } from './plugin-catalog.ts';

export interface AdminUnderTest extends AdminCaller {
  readonly app: FastifyInstance;
  readonly store: EntityStore;
  readonly databaseUrl: string;
  /** What was published, oldest first. */
  readonly changes: ConfigurationChange[];
  /** What was logged as an error, newest last. */
  readonly errors: unknown[];
  /** Deletes every entity and forgets the changes. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

export const TEST_NODE: NodeInformation = {
  id: '11111111-2222-4333-8444-555555555555',
  hostname: 'node.test',
  version: '0.1.0',
  configuration: () => ({ database: 'postgres', role: 'traditional', plugins: ['bundled'] }),
  pids: () => ({ master: 100, workers: [101, 102] }),
  status: async () => ({
    workers: [
      { pid: 101, heapBytes: 20 * 2 ** 20 },
      { pid: 102, heapBytes: 2 ** 20 },
    ],
    sharedMemory: { counters: { capacityBytes: 5 * 2 ** 20, allocatedBytes: 41943 } },
    server: {
      connections_accepted: 7,
      connections_active: 2,
      connections_handled: 7,
      connections_reading: 0,
      connections_writing: 1,
      connections_waiting: 1,
      total_requests: 42,
    },
    database: { reachable: true },
  }),
  metrics: async () => '# TYPE tollgate_up gauge\ntollgate_up 1\n',
};

export async function startAdmin(overrides: Partial<AdminDependencies> = {}): Promise<AdminUnderTest> {
  const plugins = createTestCatalog();
  const entities = listEntities(plugins);
  const { store, url, close } = await openTestStore(entities);
  const changes: ConfigurationChange[] = [];
  const errors: unknown[] = [];
  const app = createAdminApi({
    entities,
    store,
    plugins,
    publish: async (change) => void changes.push(change),
    publishEvents: async () => {},
    node: TEST_NODE,
    logger: { level: 'notice', error: (details) => void errors.push(details['err']) },
    ...overrides,
  });
  await app.ready();
  return {
    ...createCaller(app),
    app,
    store,
    databaseUrl: url,
    changes,
    errors,
    empty: async () => {
      await deleteEverything(store, entities);
      changes.length = 0;
    },
    close: async () => {
      await app.close();
      await close();
    },
  };
}

/** Children first, so that nothing is referred to when it goes. */
async function deleteEverything(store: EntityStore, entities: readonly EntityDefinition[]): Promise<void> {
  for (const definition of entities.toReversed()) {
    for (const { id } of await store.all(definition)) await store.delete(definition, id);
  }
}
