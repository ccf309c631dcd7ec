/** `kong.entities`: the cache first, the host on a miss. */
import type { EntityReader } from '../entities.ts';
import type { CallState } from './call-state.ts';
import { loadEntity, peekEntity } from './entity-cache.ts';

export async function findEntity<Row extends { readonly id: string }>(
  call: CallState,
  entity: string,
  field: string,
  value: string,
): Promise<Row | undefined> {
  const cached = peekEntity(entity, field, value);
  const row = cached === undefined ? await call.suspend(loadEntity(entity, field, value)) : cached;
  return (row ?? undefined) as Row | undefined;
}

export function createEntityReader(call: CallState): EntityReader {
  return { find: (entity, field, value) => findEntity(call, entity, field, value) };
}
