/** Completes a value: absent members get their defaults, required records are filled, sets lose duplicates. */
import type { FieldDefinition, RecordField } from './fields.ts';
import { isPlainRecord, isSameValue, type PlainRecord } from './plain-record.ts';

/**
 * The record with every member of its schema present. An explicit null stays; members the schema does not know and
 * values of the wrong type are left for validation. Applying it twice changes nothing.
 * Source: contract/admin-api.md section 3.
 */
export function applyDefaults(record: RecordField, value: PlainRecord): PlainRecord {
  const known = Object.entries(record.fields).map(([name, field]) => [
    name,
    completeValue(field, Object.hasOwn(value, name) ? value[name] : undefined),
  ]);
  const others = Object.entries(value).filter(([name]) => !Object.hasOwn(record.fields, name));
  return Object.fromEntries([...known, ...others]);
}

function completeValue(field: FieldDefinition, value: unknown): unknown {
  if (value === undefined) return completeAbsence(field);
  switch (field.type) {
    case 'record':
      return isPlainRecord(value) ? applyDefaults(field, value) : value;
    case 'array':
      return Array.isArray(value) ? value.map((item) => completePart(field.elements, item)) : value;
    case 'set':
      return Array.isArray(value)
        ? dropDuplicates(value.map((item) => completePart(field.elements, item)))
        : value;
    case 'map':
      return isPlainRecord(value) ? mapMembers(value, (item) => completePart(field.values, item)) : value;
    default:
      return value;
  }
}

/** List elements and map values have no absence: null stays what it is. */
function completePart(field: FieldDefinition, value: unknown): unknown {
  return value === undefined ? null : completeValue(field, value);
}

function completeAbsence(field: FieldDefinition): unknown {
  if (field.default !== undefined) return completeValue(field, structuredCopy(field.default));
  return field.type === 'record' && field.required ? applyDefaults(field, {}) : null;
}

/** The order of first appearance is kept. */
export function dropDuplicates(list: readonly unknown[]): readonly unknown[] {
  if (list.every((item) => typeof item === 'string')) return [...new Set(list)];
  return list.filter((item, index) => list.findIndex((other) => isSameValue(item, other)) === index);
}

function mapMembers(map: PlainRecord, transform: (value: unknown) => unknown): PlainRecord {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, transform(value)]));
}

function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  return isPlainRecord(value) ? mapMembers(value, structuredCopy) : value;
}
