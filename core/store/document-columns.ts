/**
 * How rows of published packages' entities lie in the table they share: as documents, with columns beside them for what
 * the database has to guard or find (migration `package_entities`).
 */
import { applyDefaults } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';

export const DOCUMENTS_TABLE = 'package_entities';
export const DOCUMENT_KEYS_TABLE = 'package_entity_keys';

/** Entities that rows may refer to, and the column of each. */
export const PARENT_COLUMNS: Readonly<Record<string, string>> = {
  consumers: 'consumer_id',
  services: 'service_id',
  routes: 'route_id',
};

export const DOCUMENT_COLUMNS = ['id', 'document'] as const;

export function parentColumn(entity: EntityDefinition, field: string): string {
  const definition = entity.fields[field];
  return (definition?.type === 'foreign' && PARENT_COLUMNS[definition.reference]) || 'id';
}

/** What `unique_keys` and the table of keys hold, and what the log of changes says. */
export function documentKey(field: string, value: string): string {
  return `${field}=${value}`;
}

/** Column values of a complete row. */
export function toDocument(entity: EntityDefinition, row: EntityRow): Record<string, unknown> {
  const parents = new Map<string, unknown>();
  const uniqueKeys: string[] = [];
  const parentKeys: string[] = [];
  for (const [field, definition] of Object.entries(entity.fields)) {
    const value = row[field] ?? null;
    if (value === null) continue;
    if (definition.type === 'foreign') {
      const { id } = value as { readonly id: string };
      parents.set(parentColumn(entity, field), id);
      parentKeys.push(documentKey(`${field}_id`, id));
    } else if (definition.unique) uniqueKeys.push(documentKey(field, String(value)));
  }
  const { id, ...members } = row;
  const known = Object.entries(members).filter(([name]) => Object.hasOwn(entity.fields, name));
  return {
    entity: entity.name,
    id,
    revision: entity.published?.revision ?? 1,
    document: JSON.stringify(Object.fromEntries(known)),
    tags: row['tags'] ?? null,
    ...Object.fromEntries(
      Object.values(PARENT_COLUMNS).map((column) => [column, parents.get(column) ?? null]),
    ),
    unique_keys: uniqueKeys,
    keys: [...uniqueKeys, ...parentKeys],
  };
}

/** The row as this version of its entity has it, whichever version has written it: defaults stand for what is new. */
export function fromDocument(
  entity: EntityDefinition,
  id: unknown,
  document: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = Object.entries({ ...document, id }).filter(([name]) => Object.hasOwn(entity.fields, name));
  return { ...applyDefaults({ type: 'record', fields: entity.fields }, Object.fromEntries(known)) };
}
