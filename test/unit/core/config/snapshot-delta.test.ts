import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  describeDelta,
  describeInvalidations,
  describeRowChanges,
} from '../../../../core/config/describe-changes.ts';
import {
  EMPTY_SNAPSHOT,
  SNAPSHOT_ENTITIES,
  type Snapshot,
  type SnapshotEntity,
} from '../../../../core/config/snapshot.ts';
import { applyDelta } from '../../../../core/config/snapshot-delta.ts';
import type { EntityRow } from '../../../../core/entities/define-entity.ts';
import type { LogExcerpt, LoggedChange, ReadChange } from '../../../../core/store/change-log.ts';

type Tables = Record<SnapshotEntity | 'consumers', Map<string, EntityRow>>;
interface Write {
  readonly entity: keyof Tables;
  readonly id: string;
  readonly value: number | null;
}

const write = fc.record({
  entity: fc.constantFrom<keyof Tables>('services', 'routes', 'plugins', 'upstreams', 'targets', 'consumers'),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  /** Null deletes. */
  value: fc.option(fc.nat(9)),
});

const createTables = (): Tables => ({
  services: new Map(),
  routes: new Map(),
  plugins: new Map(),
  upstreams: new Map(),
  targets: new Map(),
  certificates: new Map(),
  snis: new Map(),
  ca_certificates: new Map(),
  consumers: new Map(),
});

/** Writes to the tables and reads what a node would read of it. */
function perform(tables: Tables, writes: readonly Write[], sequence: number): LogExcerpt {
  const changes: LoggedChange[] = [];
  for (const { entity, id, value } of writes) {
    const existed = tables[entity].has(id);
    if (value === null && !existed) continue;
    if (value === null) tables[entity].delete(id);
    else tables[entity].set(id, { id, value });
    changes.push({
      entity,
      operation: value === null ? 'delete' : existed ? 'update' : 'insert',
      id,
      keys: [],
    });
  }
  const read = changes.map((change): ReadChange => {
    const row = tables[change.entity as keyof Tables].get(change.id ?? '');
    return { ...change, row };
  });
  return { changes: read, position: { sequence, at: '' } };
}

const sorted = (rows: ReadonlyMap<string, EntityRow>) =>
  [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));

it('makes of a snapshot and its changes what reading everything would', () => {
  fc.assert(
    fc.property(fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 12 }), (batches) => {
      const tables = createTables();
      let snapshot: Snapshot = EMPTY_SNAPSHOT;
      for (const [at, writes] of batches.entries()) {
        const delta = describeDelta(snapshot, perform(tables, writes, at + 1));
        snapshot = applyDelta(snapshot, structuredClone(delta));
        for (const entity of SNAPSHOT_ENTITIES) expect(snapshot[entity]).toEqual(sorted(tables[entity]));
        expect(snapshot.sequence).toBe(at + 1);
      }
    }),
  );
});

it('gives a new version only to changes that the plan depends on', () => {
  const tables = createTables();
  const consumer = perform(tables, [{ entity: 'consumers', id: 'a', value: 1 }], 1);
  const route = perform(tables, [{ entity: 'routes', id: 'a', value: 1 }], 2);
  expect(describeDelta(EMPTY_SNAPSHOT, consumer)).toMatchObject({ base: 0, version: 0, sequence: 1 });
  expect(describeDelta(EMPTY_SNAPSHOT, route)).toMatchObject({ base: 0, version: 1, sequence: 2 });
});

it('refuses a change that was made for another version', () => {
  const reading = perform(createTables(), [{ entity: 'routes', id: 'a', value: 1 }], 1);
  const delta = describeDelta({ ...EMPTY_SNAPSHOT, version: 3 }, reading);
  expect(() => applyDelta(EMPTY_SNAPSHOT, delta)).toThrow('version 3 cannot be applied to version 0');
});

it('tells a row once with all keys it had, however often it was written', () => {
  const row = { id: 'a', username: 'z' };
  const change = (keys: string[], operation: LoggedChange['operation'] = 'update'): ReadChange => ({
    entity: 'consumers',
    operation,
    id: 'a',
    keys,
    row,
  });
  const reading: LogExcerpt = {
    changes: [change(['username=x'], 'insert'), change(['username=x', 'username=y']), change(['username=z'])],
    position: { sequence: 3, at: '' },
  };
  expect(describeRowChanges('consumers', reading)).toEqual([
    { id: 'a', keys: ['username=x', 'username=y', 'username=z'], row },
  ]);
  expect(describeRowChanges('routes', reading)).toEqual([]);
});

it('lets workers forget single rows, and everything when there are very many', () => {
  const change: LoggedChange = { entity: 'consumers', operation: 'delete', id: 'a', keys: ['username=x'] };
  expect(describeInvalidations([change])).toEqual([
    { entity: 'consumers', id: 'a', keys: ['id=a', 'username=x'], withReferences: true },
  ]);
  expect(describeInvalidations(Array(1000).fill(change))).toMatchObject([{ everything: true }]);
});
