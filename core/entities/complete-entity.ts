/** From what a client sent to a complete row, and what is wrong with it. Pure: time and stored rows are arguments. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  applyDefaults,
  ENTITY_MEMBER,
  type ErrorTree,
  expandShorthands,
  type FieldDefinition,
  formatViolations,
  isPlainRecord,
  type Operation,
  type PlainRecord,
  type RecordField,
  showShorthands,
  validate,
  validateField,
} from '../../sdk/schema/index.ts';
import { EntityError } from '../store/entity-error.ts';
import type { EntityDefinition, EntityRow, RuleErrors } from './define-entity.ts';
import './schema-patterns.ts';

/**
 * A new row: shorthands expanded, generated fields set, defaults filled. Not yet validated, except that a malformed
 * shorthand or an unknown kind of row throws EntityError 2 here. `ttl` is not part of a row (take-ttl.ts).
 */
export function completeForInsert(
  entity: EntityDefinition,
  input: PlainRecord,
  nowSeconds: number,
): EntityRow {
  const { definition, given } = prepareInput(entity, input, {});
  return finishRow(definition, given, given, nowSeconds);
}

/**
 * The stored row with the input's members in place: records merge, lists and maps are replaced. An `id` in the input
 * is ignored. Throws as completeForInsert. Source: contract/admin-api.md section 2.4.
 */
export function mergeForUpdate(
  entity: EntityDefinition,
  stored: EntityRow,
  input: PlainRecord,
  nowSeconds: number,
): EntityRow {
  const { id: _id, ...changes } = input;
  const { definition, given } = prepareInput(entity, changes, stored);
  const merged = mergeRecord(definition, onlyKnown(definition, stored), given);
  return finishRow(definition, merged, given, nowSeconds);
}

/**
 * A row of these members, whoever has made them: generated fields that have no value are set, defaults filled in, and
 * what the entity does not know left out.
 */
export function completeRow(entity: EntityDefinition, members: PlainRecord, nowSeconds: number): EntityRow {
  const known = onlyKnown(entityRecord(entity), members);
  const { updated_at = null } = known;
  const row = finishRow(entity, known, known, nowSeconds);
  return updated_at === null ? row : { ...row, updated_at };
}

/** Whether a row of these members would be given values that nobody has chosen. */
export function generatesValues(entity: EntityDefinition, members: PlainRecord): boolean {
  return Object.entries(entity.fields).some(
    ([name, field]) => field.auto === true && name !== 'id' && (members[name] ?? null) === null,
  );
}

/** Throws EntityError 2 with everything that is wrong with a complete row (contract/admin-api.md section 4). */
export function validateEntity(entity: EntityDefinition, row: PlainRecord, operation: Operation): void {
  const definition = specialiseEntity(entity, row);
  const found = validate(entityRecord(definition), row, { operation });
  const byField: ErrorTree = typeof found === 'string' ? { [ENTITY_MEMBER]: [found] } : (found ?? {});
  const errors = definition.rules
    ? mergeErrors(byField, definition.rules(row as EntityRow, operation))
    : byField;
  if (Object.keys(errors).length > 0) throw schemaViolation(errors);
}

/** EntityError 2 with the summary of `errors` as its message. */
export function schemaViolation(errors: RuleErrors): EntityError {
  return new EntityError(2, formatViolations(errors as ErrorTree), { fields: errors });
}

/** The definition of this kind of row. Throws EntityError 2 for a kind that does not exist. */
export function specialiseEntity(entity: EntityDefinition, input: PlainRecord): EntityDefinition {
  const special = entity.specialise?.(input);
  if (special === undefined) return entity;
  if (!special.ok) throw schemaViolation(special.errors);
  return special.definition;
}

/** An entity's fields and checks as one record. */
export function entityRecord(entity: EntityDefinition): RecordField {
  return { type: 'record', required: true, fields: entity.fields, checks: entity.checks };
}

function prepareInput(
  entity: EntityDefinition,
  input: PlainRecord,
  stored: PlainRecord,
): { definition: EntityDefinition; given: PlainRecord } {
  const { ttl: _ttl, ...withoutTtl } = input;
  const members = expandInput(entity, entity.hasTtl ? withoutTtl : input);
  const definition = specialiseEntity(entity, { ...stored, ...members });
  const expansion = expandShorthands(entityRecord(definition), members);
  if (!expansion.ok) throw schemaViolation(expansion.errors);
  return { definition, given: expansion.value };
}

/** Replaces write-only members such as `url` by the fields they stand for. */
function expandInput(entity: EntityDefinition, input: PlainRecord): PlainRecord {
  let expanded = input;
  for (const [name, shorthand] of Object.entries(entity.shorthands)) {
    if (!Object.hasOwn(expanded, name)) continue;
    const { [name]: value, ...rest } = expanded;
    const error = validateField(shorthand.field, value);
    if (error !== undefined) throw schemaViolation({ [name]: error });
    expanded = { ...rest, ...shorthand.expand(value) };
  }
  return expanded;
}

function finishRow(
  definition: EntityDefinition,
  members: PlainRecord,
  given: PlainRecord,
  nowSeconds: number,
): EntityRow {
  const record = entityRecord(definition);
  const generated = Object.fromEntries(
    Object.entries(definition.fields).flatMap(([name, field]) =>
      field.auto && (name === 'updated_at' || (members[name] ?? null) === null)
        ? [[name, generateValue(field, nowSeconds)]]
        : [],
    ),
  );
  const row = showShorthands(record, applyDefaults(record, { ...members, ...generated })) as EntityRow;
  return definition.normalise ? definition.normalise(row, given) : row;
}

function generateValue(field: FieldDefinition, nowSeconds: number): unknown {
  if (field.type === 'integer') return Math.floor(nowSeconds);
  if (field.type === 'number') return nowSeconds;
  return field.type === 'string' && field.uuid ? randomUUID() : randomKey();
}

const KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const KEY_LENGTH = 32;

/** 32 alphanumerics. Bytes past the largest multiple of 62 are thrown away, so that every character is equally likely. */
function randomKey(): string {
  const limit = 256 - (256 % KEY_ALPHABET.length);
  let key = '';
  while (key.length < KEY_LENGTH) {
    for (const byte of randomBytes(KEY_LENGTH)) {
      if (byte < limit && key.length < KEY_LENGTH) key += KEY_ALPHABET[byte % KEY_ALPHABET.length];
    }
  }
  return key;
}

function mergeRecord(
  record: { readonly fields: RecordField['fields'] },
  stored: PlainRecord,
  given: PlainRecord,
) {
  const merged = Object.entries(given).map(([name, value]): [string, unknown] => {
    const field = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    const before = stored[name];
    const merges = field?.type === 'record' && isPlainRecord(before) && isPlainRecord(value);
    return [name, merges ? mergeRecord(field, before, value) : value];
  });
  return { ...stored, ...Object.fromEntries(merged) } as PlainRecord;
}

/** Drops what a stored row shows besides its fields: seconds left, deprecated spellings, fields of an older schema. */
function onlyKnown(record: { readonly fields: RecordField['fields'] }, stored: PlainRecord): PlainRecord {
  return Object.fromEntries(
    Object.entries(stored).flatMap(([name, value]): [string, unknown][] => {
      const field = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
      if (field === undefined) return [];
      return [[name, field.type === 'record' && isPlainRecord(value) ? onlyKnown(field, value) : value]];
    }),
  );
}

/** What is wrong with a field by itself outweighs what a rule says of it; texts across fields add up. */
function mergeErrors(byField: ErrorTree, byRule: RuleErrors): RuleErrors {
  const texts = [byField[ENTITY_MEMBER], byRule[ENTITY_MEMBER]].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  return { ...byRule, ...byField, ...(texts.length > 0 && { [ENTITY_MEMBER]: texts }) };
}
