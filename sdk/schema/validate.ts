/** Checks a complete value against its schema and reports everything wrong with it, each field once. */
import { attributesOf, checkAbsence, checkAttributes, isUuid } from './check-attributes.ts';
import { checkAcrossFields, checkWholeRecord, type Operation } from './check-entity.ts';
import type { ErrorNode, ErrorTree } from './error-tree.ts';
import type { FieldDefinition, ListField, MapField, RecordField } from './fields.ts';
import { FORMATS } from './formats.ts';
import * as messages from './messages.ts';
import { isPlainRecord, ownMember, type PlainRecord } from './plain-record.ts';
import { parseSecretReference } from './secret-reference.ts';

export interface ValidateOptions {
  /** Default `insert`. An `update` prefixes the texts of at-least-one rules with `when updating, `. */
  readonly operation?: Operation;
  /** Only members that are present are checked, and no rule across fields. Default false. */
  readonly presentOnly?: boolean;
}

/**
 * What is wrong with `value`, or undefined: a text when it is no record or breaks a rule about the whole of it,
 * else texts by field. Defaults must have been applied (apply-defaults.ts): absent members count as null.
 * Source: contract/admin-api.md sections 3 and 4, contract/pdk.md section 5.
 */
export function validate(
  record: RecordField,
  value: unknown,
  options: ValidateOptions = {},
): string | ErrorTree | undefined {
  if (!isPlainRecord(value)) return messages.expectedType('record');
  const fieldErrors: ErrorTree = Object.fromEntries(listFieldErrors(record, value, options));
  const checks = options.presentOnly ? [] : (record.checks ?? []);
  const errors = checkAcrossFields(checks, value, fieldErrors, options.operation ?? 'insert');
  return Object.keys(errors).length > 0 ? errors : checkWholeRecord(checks, value);
}

/** What is wrong with the value of one field, or undefined. */
export function validateField(
  field: FieldDefinition,
  value: unknown,
  options: ValidateOptions = {},
): ErrorNode | undefined {
  const attributes = attributesOf(field);
  if (value === null || value === undefined) return checkAbsence(attributes);
  if (attributes.eq === null) return messages.mustBe(null);
  // What it stands for is known to nobody but the node that resolves it.
  if (field.type === 'string' && field.referenceable && parseSecretReference(value) !== undefined)
    return undefined;
  return (
    checkType(field, value) ??
    checkParts(field, value, options) ??
    checkAttributes(value, attributes) ??
    (field.type === 'string' && field.format ? FORMATS[field.format](value as string) : undefined)
  );
}

function listFieldErrors(
  record: RecordField,
  value: PlainRecord,
  options: ValidateOptions,
): [string, ErrorNode][] {
  const errors: [string, ErrorNode][] = [];
  for (const [name, field] of Object.entries(record.fields)) {
    if (options.presentOnly && !Object.hasOwn(value, name)) continue;
    const error = validateField(field, ownMember(value, name), options);
    if (error !== undefined) errors.push([name, error]);
  }
  // Deprecated members were checked when they were expanded; what stands there now mirrors their successors.
  const isKnown = (name: string) =>
    Object.hasOwn(record.fields, name) || Object.hasOwn(record.shorthands ?? {}, name);
  for (const name of Object.keys(value)) if (!isKnown(name)) errors.push([name, messages.UNKNOWN]);
  return errors;
}

function checkType(field: FieldDefinition, value: unknown): string | undefined {
  switch (field.type) {
    case 'string':
      if (typeof value !== 'string') return messages.expectedType('string');
      return isText(value) ? undefined : messages.NOT_TEXT;
    case 'number':
      return Number.isFinite(value) ? undefined : messages.expectedType('number');
    case 'integer':
      return isExactInteger(value) ? undefined : messages.expectedType('integer');
    case 'boolean':
      return typeof value === 'boolean' ? undefined : messages.expectedType('boolean');
    case 'array':
    case 'set':
      return Array.isArray(value) ? undefined : messages.expectedType(field.type);
    case 'map':
    case 'record':
      return isPlainRecord(value) ? undefined : messages.expectedType(field.type);
    case 'foreign':
      return undefined;
  }
}

function checkParts(field: FieldDefinition, value: unknown, options: ValidateOptions): ErrorNode | undefined {
  switch (field.type) {
    case 'array':
    case 'set':
      return checkElements(field, value as readonly unknown[], options);
    case 'map':
      return checkMembers(field, value as PlainRecord, options);
    case 'record':
      return validate(field, value, options);
    case 'foreign':
      return checkReference(value);
    default:
      return undefined;
  }
}

/** Texts by position, null before and between them, nothing after the last. */
function checkElements(
  field: ListField,
  list: readonly unknown[],
  options: ValidateOptions,
): readonly ErrorNode[] | undefined {
  const errors = list.map((item) => {
    if (item === null || item === undefined) return messages.REQUIRED;
    return validateField(field.elements, item, options) ?? null;
  });
  const last = errors.findLastIndex((error) => error !== null);
  return last === -1 ? undefined : errors.slice(0, last + 1);
}

function checkMembers(field: MapField, map: PlainRecord, options: ValidateOptions): ErrorTree | undefined {
  const errors: [string, ErrorNode][] = [];
  for (const [key, item] of Object.entries(map)) {
    const missing = item === null || item === undefined ? messages.REQUIRED : undefined;
    const error =
      validateField(field.keys, key, options) ?? missing ?? validateField(field.values, item, options);
    if (error !== undefined) errors.push([key, error]);
  }
  return errors.length === 0 ? undefined : Object.fromEntries(errors);
}

/** Source: contract/admin-api.md section 1.5. */
function checkReference(value: unknown): ErrorTree | undefined {
  const id = isPlainRecord(value) ? value['id'] : undefined;
  if (id === undefined || id === null) return { id: messages.MISSING_PRIMARY_KEY };
  return isUuid(id) ? undefined : { id: messages.EXPECTED_UUID };
}

/** Every integer a double holds exactly. */
function isExactInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 53;
}

/** Databases store neither NUL nor half a surrogate pair; refusing them here names the field. */
function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}
