/**
 * References by a unique field of their target, such as `{"service":{"name":"web"}}`, become references by id
 * (contract/admin-api.md section 1.5). A reference by id is left for the database to judge, and one that names
 * nothing at all for validation.
 */
import {
  type ErrorTree,
  formatViolations,
  isPlainRecord,
  isUuid,
  luaFormat,
  validate,
} from '../../sdk/schema/index.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import { EntityError } from '../store/entity-error.ts';
import type { EntityStore } from '../store/entity-store.ts';

type Members = Readonly<Record<string, unknown>>;
type Resolution =
  | { readonly kind: 'resolved'; readonly reference: unknown }
  /** No entity has that unique value. */
  | { readonly kind: 'unresolved'; readonly errors: ErrorTree }
  /** Members that its target could not have. */
  | { readonly kind: 'malformed'; readonly errors: ErrorTree };

/**
 * Throws EntityError 13 naming every reference whose target does not exist, else EntityError 2 for references
 * with members that no target could have.
 */
export async function resolveReferences(
  definition: EntityDefinition,
  members: Members,
  findDefinition: (name: string) => EntityDefinition | undefined,
  store: EntityStore,
): Promise<Members> {
  const resolved: Record<string, unknown> = {};
  const unresolved: Record<string, ErrorTree> = {};
  const malformed: Record<string, ErrorTree> = {};
  for (const [field, declared] of Object.entries(definition.fields)) {
    if (declared.type !== 'foreign' || !Object.hasOwn(members, field)) continue;
    const target = findDefinition(declared.reference);
    const resolution = await resolveReference(members[field], target, store);
    if (resolution.kind === 'resolved') resolved[field] = resolution.reference;
    else (resolution.kind === 'unresolved' ? unresolved : malformed)[field] = resolution.errors;
  }
  if (Object.keys(unresolved).length > 0) throw unresolvedReferences(unresolved);
  if (Object.keys(malformed).length > 0)
    throw new EntityError(2, formatViolations(malformed), { fields: malformed });
  return { ...members, ...resolved };
}

async function resolveReference(
  value: unknown,
  target: EntityDefinition | undefined,
  store: EntityStore,
): Promise<Resolution> {
  const asGiven: Resolution = { kind: 'resolved', reference: value };
  if (target === undefined || !isPlainRecord(value)) return asGiven;
  if (isUuid(value['id'])) return { kind: 'resolved', reference: { id: String(value['id']).toLowerCase() } };
  const { id: _invalid, ...members } = value;
  const errors = validate({ type: 'record', fields: target.fields }, members, { presentOnly: true });
  if (typeof errors === 'object') return { kind: 'malformed', errors };
  for (const unique of uniqueFields(target)) {
    const wanted = members[unique];
    if (typeof wanted !== 'string') continue;
    const row = await store.selectByUnique(target, unique, wanted);
    if (row !== undefined) return { kind: 'resolved', reference: { id: row.id } };
    const key = luaFormat({ [unique]: wanted });
    const text = `the foreign key cannot be resolved with '${key}' for an existing '${target.name}' entity`;
    return { kind: 'unresolved', errors: { [unique]: text } };
  }
  return asGiven;
}

function uniqueFields(definition: EntityDefinition): string[] {
  return Object.entries(definition.fields)
    .filter(([, field]) => field.type === 'string' && field.unique === true)
    .map(([name]) => name);
}

function unresolvedReferences(failures: Readonly<Record<string, ErrorTree>>): EntityError {
  const texts = Object.keys(failures)
    .sort()
    .flatMap((field) =>
      Object.entries(failures[field] ?? {}).map(([unique, text]) => `${field}.${unique}: ${text}`),
    );
  const subject = texts.length === 1 ? 'foreign key unresolved' : `${texts.length} foreign keys unresolved`;
  return new EntityError(13, `${subject} (${texts.join('; ')})`, { fields: failures });
}
