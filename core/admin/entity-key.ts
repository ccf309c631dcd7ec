/** Which entity a path segment means: an id, or the value of the endpoint key (contract/admin-api.md section 2.1). */

import { isUuid, luaFormat, validateField } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import { EntityError } from '../store/entity-error.ts';
import type { EntityStore } from '../store/entity-store.ts';
import { notFound } from './admin-refusal.ts';

export type EntityKey =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'unique'; readonly field: string; readonly value: string }
  /** Unique only among the children of one parent. */
  | {
      readonly kind: 'nested';
      readonly field: string;
      readonly value: string;
      readonly parent: Readonly<Record<string, { readonly id: string }>>;
    };

/** Throws EntityError 1 where only ids are keys, and 10 for what could not be the value of the key field. */
export function readEntityKey(definition: EntityDefinition, segment: string): EntityKey {
  if (isUuid(segment)) return { kind: 'id', id: segment.toLowerCase() };
  const field = definition.endpointKey;
  if (field === undefined) throw invalidPrimaryKey();
  const declared = definition.fields[field];
  const violation = declared && validateField(declared, segment);
  if (typeof violation === 'string')
    throw new EntityError(10, violation, { name: `invalid unique ${field}` });
  return { kind: 'unique', field, value: segment };
}

/** As `readEntityKey` for a child of this parent, reached through the foreign field `reference`. */
export function readChildKey(
  definition: EntityDefinition,
  segment: string,
  reference: string,
  parentId: string,
): EntityKey {
  const field = definition.nestedKeys?.[reference];
  if (field === undefined || isUuid(segment)) return readEntityKey(definition, segment);
  return { kind: 'nested', field, value: segment, parent: { [reference]: { id: parentId } } };
}

function invalidPrimaryKey(): EntityError {
  const fields = { id: 'expected a valid UUID' };
  return new EntityError(1, `invalid primary key: '${luaFormat(fields)}'`, { fields });
}

export function findByKey(
  store: EntityStore,
  definition: EntityDefinition,
  key: EntityKey,
): Promise<EntityRow | undefined> {
  switch (key.kind) {
    case 'id':
      return store.selectById(definition, key.id);
    case 'unique':
      return store.selectByUnique(definition, key.field, key.value);
    case 'nested':
      return store.selectByUniqueTogether(definition, { ...key.parent, [key.field]: key.value });
  }
}

/** Throws the plain 404 when there is none. */
export async function requireByKey(
  store: EntityStore,
  definition: EntityDefinition,
  key: EntityKey,
): Promise<EntityRow> {
  const row = await findByKey(store, definition, key);
  if (row === undefined) throw notFound();
  return row;
}

/** EntityError 6, as PATCH answers for what is not there. */
export function keyNotFound(key: EntityKey): EntityError {
  const fields = key.kind === 'id' ? { id: key.id } : { [key.field]: key.value };
  const subject = key.kind === 'id' ? 'primary key ' : '';
  return new EntityError(6, `could not find the entity with ${subject}'${luaFormat(fields)}'`, { fields });
}
