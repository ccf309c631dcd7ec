/**
 * From a write to workers that serve it. A write resolves once every worker has the snapshot that contains it and
 * none serves the old rows from a cache. Writes that come in while a snapshot is being made share the next one.
 */
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { ConfigurationChange } from '../entities/configuration-change.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { Snapshot } from './snapshot.ts';

/** Entities whose rows are in snapshots; consumers because their plugins go with them. */
const SNAPSHOT_ENTITIES = new Set(['services', 'routes', 'plugins']);

export interface PublisherDependencies {
  readonly entities: readonly EntityDefinition[];
  loadSnapshot(version: number): Promise<Snapshot>;
  publish(snapshot: Snapshot): Promise<void>;
  invalidate(invalidations: readonly Invalidation[]): Promise<void>;
}

export interface Publisher {
  /** Resolves when the workers of this node serve the change. Rejects when the store or a worker cannot. */
  publishChange(change: ConfigurationChange): Promise<void>;
}

export function createPublisher(dependencies: PublisherDependencies, firstVersion: number): Publisher {
  let version = firstVersion;
  let underWay: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const makeSnapshot = async (): Promise<void> => {
    await dependencies.publish(await dependencies.loadSnapshot(++version));
  };

  /** A snapshot whose reading begins after this call. */
  const refresh = (): Promise<void> => {
    next ??= (underWay ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        underWay = makeSnapshot();
        next = undefined;
        return underWay;
      });
    return next;
  };

  return {
    async publishChange(change) {
      const isConsumerGone = change.entity === 'consumers' && change.operation === 'delete';
      const isInSnapshot = SNAPSHOT_ENTITIES.has(change.entity) || isConsumerGone;
      const isCached = !SNAPSHOT_ENTITIES.has(change.entity);
      await Promise.all([
        isInSnapshot ? refresh() : undefined,
        isCached ? dependencies.invalidate([describeInvalidation(dependencies.entities, change)]) : undefined,
      ]);
    },
  };
}

function describeInvalidation(
  entities: readonly EntityDefinition[],
  change: ConfigurationChange,
): Invalidation {
  const fields = entities.find(({ name }) => name === change.entity)?.fields ?? {};
  const unique = ['id', ...Object.keys(fields).filter((name) => fields[name]?.unique === true)];
  const keys = [change.row, change.previous].flatMap((row) => listKeys(row, unique));
  return {
    entity: change.entity,
    id: change.id,
    keys: [...new Set([`id=${change.id}`, ...keys])],
    withReferences: change.operation === 'delete',
  };
}

function listKeys(row: EntityRow | undefined, unique: readonly string[]): string[] {
  if (row === undefined) return [];
  return unique.flatMap((name) => (typeof row[name] === 'string' ? [`${name}=${row[name]}`] : []));
}
