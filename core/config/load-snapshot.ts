/** Reads everything a snapshot holds. */
import type { EntityDefinition } from '../entities/define-entity.ts';
import type { EntityStore } from '../store/entity-store.ts';
import type { PluginRow, RouteRow, ServiceRow, Snapshot } from './snapshot.ts';

/** Throws StoreUnavailableError. */
export async function loadSnapshot(
  store: EntityStore,
  entities: readonly EntityDefinition[],
  version: number,
): Promise<Snapshot> {
  const read = async <Row>(name: string): Promise<readonly Row[]> => {
    const entity = entities.find((candidate) => candidate.name === name);
    return entity === undefined ? [] : ((await store.all(entity)) as unknown as readonly Row[]);
  };
  const [services, routes, plugins] = await Promise.all([
    read<ServiceRow>('services'),
    read<RouteRow>('routes'),
    read<PluginRow>('plugins'),
  ]);
  return { version, services, routes, plugins };
}
