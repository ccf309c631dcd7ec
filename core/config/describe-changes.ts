/** What changes read from the log mean for those who hold rows: the snapshot, the row cache, the workers. Pure. */
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { RowChange } from '../cache/row-cache.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { LogExcerpt, LoggedChange } from '../store/change-log.ts';
import { forEachEntity, type Snapshot, type SnapshotEntity } from './snapshot.ts';
import { isEmptyDelta, type RowsDelta, type RowsDeltas, type SnapshotDelta } from './snapshot-delta.ts';

/** Each one is looked for among all rows a guest holds; beyond this it is cheaper to forget them all. */
const MAX_INVALIDATIONS = 100;

export interface ConfigurationEvent {
  readonly kind: string;
  /** Id of the row it is about. */
  readonly subject: string;
  /** `name=value` each. */
  readonly details: readonly string[];
}

/** Makes guests forget every row. */
export const EVERYTHING: Invalidation = {
  entity: '',
  id: '',
  keys: [],
  withReferences: true,
  everything: true,
};

/** A change that touches no row of the snapshot moves its sequence and leaves its version. */
export function describeDelta(snapshot: Snapshot, { changes, position }: LogExcerpt): SnapshotDelta {
  const deltaOf = (entity: SnapshotEntity): RowsDelta<EntityRow> => {
    const latest = new Map<string, EntityRow | undefined>();
    for (const change of changes) {
      if (change.entity === entity && change.id !== null) latest.set(change.id, change.row);
    }
    return {
      upserted: [...latest.values()].filter((row) => row !== undefined),
      removed: [...latest].flatMap(([id, row]) => (row === undefined ? [id] : [])),
    };
  };
  const delta: SnapshotDelta = {
    base: snapshot.version,
    version: snapshot.version + 1,
    sequence: position.sequence,
    ...forEachEntity<RowsDeltas>((entity) => deltaOf(entity) as never),
  };
  return isEmptyDelta(delta) ? { ...delta, version: snapshot.version } : delta;
}

/** One for each row, however often it was written. */
export function describeRowChanges(entity: string, { changes }: LogExcerpt): readonly RowChange[] {
  const byId = new Map<string, { readonly keys: Set<string>; readonly row: EntityRow | undefined }>();
  for (const change of changes) {
    if (change.entity !== entity || change.id === null) continue;
    const keys = byId.get(change.id)?.keys ?? new Set();
    for (const key of change.keys) keys.add(key);
    byId.set(change.id, { keys, row: change.row });
  }
  return [...byId].map(([id, { keys, row }]) => ({ id, keys: [...keys], row }));
}

export function describeInvalidations(changes: readonly LoggedChange[]): readonly Invalidation[] {
  if (changes.length > MAX_INVALIDATIONS) return [EVERYTHING];
  const ofRows = changes.filter(({ operation }) => operation !== 'event');
  return ofRows.map(({ entity, operation, id, keys }) => ({
    entity,
    id: id ?? '',
    keys: [`id=${id ?? ''}`, ...keys],
    withReferences: operation === 'delete',
  }));
}

/** What is to be done once. */
export function listEvents(changes: readonly LoggedChange[]): readonly ConfigurationEvent[] {
  return changes
    .filter(({ operation }) => operation === 'event')
    .map(({ entity, id, keys }) => ({ kind: entity, subject: id ?? '', details: keys }));
}

/** Fields by which rows can be asked for, besides `id`. */
export function listUniqueFields({ fields }: EntityDefinition): readonly string[] {
  return Object.keys(fields).filter((name) => fields[name]?.unique === true);
}

/** A row of the snapshot by a unique field; null when there is none. */
export function findInSnapshot(
  snapshot: Snapshot,
  entity: SnapshotEntity,
  field: string,
  value: string,
): EntityRow | null {
  const rows: readonly EntityRow[] = snapshot[entity];
  const wanted = field === 'id' ? value.toLowerCase() : value;
  return rows.find((row) => row[field] === wanted) ?? null;
}
