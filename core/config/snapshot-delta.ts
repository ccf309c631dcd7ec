/** What has changed between two snapshots, small enough to be sent for every write, and how it is taken over. Pure. */
import type { EntityRow } from '../entities/define-entity.ts';
import {
  forEachEntity,
  SNAPSHOT_ENTITIES,
  type Snapshot,
  type SnapshotEntity,
  type SnapshotLists,
  type SnapshotRows,
} from './snapshot.ts';

export interface RowsDelta<Row> {
  readonly upserted: readonly Row[];
  readonly removed: readonly string[];
}

export type RowsDeltas = { readonly [Entity in SnapshotEntity]: RowsDelta<SnapshotRows[Entity]> };

export interface SnapshotDelta extends RowsDeltas {
  /** The version it applies to. */
  readonly base: number;
  /** The same as `base` when no row of the snapshot has changed. */
  readonly version: number;
  readonly sequence: number;
}

/** Throws when the delta was made for another version. */
export function applyDelta(snapshot: Snapshot, delta: SnapshotDelta): Snapshot {
  if (snapshot.version !== delta.base) {
    throw new Error(`a change of version ${delta.base} cannot be applied to version ${snapshot.version}`);
  }
  return {
    version: delta.version,
    sequence: delta.sequence,
    ...forEachEntity<SnapshotLists>(
      (entity) => applyRows<EntityRow>(snapshot[entity], delta[entity]) as never,
    ),
  };
}

/** Rows stay in the order of their ids, in which they are read from the database too. */
function applyRows<Row extends EntityRow>(rows: readonly Row[], delta: RowsDelta<Row>): readonly Row[] {
  if (delta.upserted.length === 0 && delta.removed.length === 0) return rows;
  const replaced = new Set([...delta.upserted.map(({ id }) => id), ...delta.removed]);
  const kept = rows.filter(({ id }) => !replaced.has(id));
  return [...kept, ...delta.upserted].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function isEmptyDelta(deltas: RowsDeltas): boolean {
  return SNAPSHOT_ENTITIES.every(
    (entity) => deltas[entity].upserted.length === 0 && deltas[entity].removed.length === 0,
  );
}
