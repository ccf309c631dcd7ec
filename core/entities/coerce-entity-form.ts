/** Gives the texts of a form the types of the entity it is about (contract/admin-api.md section 1.4). */
import { coerceForm, type FieldMap, type PlainRecord } from '../../sdk/schema/index.ts';
import type { EntityDefinition } from './define-entity.ts';

const TTL: FieldMap = { ttl: { type: 'number' } };

/**
 * The input with numbers, booleans, lists and nulls where the schema has them. `stored` is the row about to be
 * updated, if any: it tells which plugin a `config` without `name` belongs to. A kind that does not exist leaves
 * its own fields as texts; validation will say so.
 */
export function coerceEntityForm(
  entity: EntityDefinition,
  tree: PlainRecord,
  stored: PlainRecord = {},
): PlainRecord {
  const special = entity.specialise?.({ ...stored, ...coerceMembers(entity, tree) });
  return coerceMembers(special?.ok ? special.definition : entity, tree);
}

function coerceMembers(entity: EntityDefinition, tree: PlainRecord): PlainRecord {
  const shorthands = Object.entries(entity.shorthands).map(([name, { field }]) => [name, field]);
  const fields = { ...entity.fields, ...Object.fromEntries(shorthands), ...(entity.hasTtl && TTL) };
  return coerceForm({ type: 'record', fields }, tree);
}
