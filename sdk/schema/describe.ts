/** A schema as `/schemas` shows it: fields as lists of one-member objects (contract/admin-api.md section 5). */
import type { EntityCheck, FieldDefinition, FieldMap, RecordField, ShorthandField } from './fields.ts';
import type { PlainRecord } from './plain-record.ts';

export interface RecordDescription {
  readonly fields: readonly PlainRecord[];
  readonly entity_checks?: readonly PlainRecord[];
  readonly shorthand_fields?: readonly PlainRecord[];
}

/** Rules written in code are left out: they cannot be shown. */
export function describe(record: RecordField): RecordDescription {
  const checks = describeChecks(record.checks ?? []);
  const shorthands = Object.entries(record.shorthands ?? {});
  return {
    fields: describeFields(record.fields),
    ...(checks.length > 0 && { entity_checks: checks }),
    ...(shorthands.length > 0 && {
      shorthand_fields: shorthands.map(([name, shorthand]) => ({ [name]: describeShorthand(shorthand) })),
    }),
  };
}

export function describeFields(fields: FieldMap): readonly PlainRecord[] {
  return Object.entries(fields).map(([name, field]) => ({ [name]: describeField(field) }));
}

/** `{ "at_least_one_of": [...] }`, `{ "conditional": {...} }`; rules about a whole record are code in the reference. */
export function describeChecks(checks: readonly EntityCheck[]): readonly PlainRecord[] {
  return checks.flatMap((check): PlainRecord[] => {
    const { kind, ...rest } = check;
    if (kind === 'non_decreasing' || kind === 'record_rule') return [];
    return [{ [kind]: 'fields' in rest ? rest.fields : rest }];
  });
}

export function describeField(field: FieldDefinition): PlainRecord {
  switch (field.type) {
    case 'record': {
      const { fields: _fields, checks: _checks, shorthands: _shorthands, ...attributes } = field;
      return { ...attributes, ...describe(field) };
    }
    case 'array':
    case 'set':
      return { ...field, elements: describeField(field.elements) };
    case 'map':
      return { ...field, keys: describeField(field.keys), values: describeField(field.values) };
    case 'string': {
      const { format: _format, ...attributes } = field;
      return attributes;
    }
    default:
      return { ...field };
  }
}

function describeShorthand(shorthand: ShorthandField): PlainRecord {
  return {
    ...describeField(shorthand.field),
    deprecation: { ...shorthand.deprecation, replaced_with: [{ path: shorthand.replaced_with }] },
  };
}
