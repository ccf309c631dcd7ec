/** Gives the texts of a decoded form the types of a schema. JSON bodies never pass here. */
import type { FieldDefinition, RecordField } from './fields.ts';
import { isPlainRecord, ownMember, type PlainRecord } from './plain-record.ts';

/**
 * Known members: `''` becomes null, numeric texts numbers, `true` and `false` booleans, a scalar for a list a list of
 * one. Whatever does not fit stays a text, for validation to refuse. Source: contract/admin-api.md section 1.4.
 */
export function coerceForm(record: RecordField, tree: PlainRecord): PlainRecord {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      const field = ownMember(record.fields, name) ?? ownMember(record.shorthands ?? {}, name)?.field;
      return [name, field ? coerceValue(field, value) : value];
    }),
  );
}

function coerceValue(field: FieldDefinition, value: unknown): unknown {
  if (value === '' || value === null) return null;
  switch (field.type) {
    case 'number':
    case 'integer':
      return typeof value === 'string' ? readNumber(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'array':
    case 'set':
      if (isPlainRecord(value)) return value;
      return (Array.isArray(value) ? value : [value]).map((item: unknown) =>
        coerceValue(field.elements, item),
      );
    case 'map':
      return isPlainRecord(value) ? coerceMembers(value, (item) => coerceValue(field.values, item)) : value;
    case 'record':
      return isPlainRecord(value) ? coerceForm(field, value) : value;
    case 'foreign':
      return isPlainRecord(value) ? coerceMembers(value, (item) => (item === '' ? null : item)) : value;
    default:
      return value;
  }
}

function coerceMembers(map: PlainRecord, transform: (value: unknown) => unknown): PlainRecord {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, transform(value)]));
}

const DECIMAL = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/;
const HEXADECIMAL = /^\s*0[xX][0-9a-fA-F]+\s*$/;

/** A number in decimal or hexadecimal notation, else the text itself. */
function readNumber(text: string): number | string {
  if (!DECIMAL.test(text) && !HEXADECIMAL.test(text)) return text;
  const number = Number(text.trim());
  return Number.isFinite(number) ? number : text;
}
