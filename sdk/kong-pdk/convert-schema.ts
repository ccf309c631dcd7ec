/**
 * Schemas as modules of the kit export them, `[{ message: { type: 'string' } }, …]`, as those of plugins here. Attributes
 * have the same names; fields of records are lists there, rules are objects with one member, and patterns are Lua's.
 */
import type { EntityCheck, FieldDefinition, FieldMatch, RecordField } from '../schema/fields.ts';
import { translatePattern } from './lua-pattern.ts';

/**
 * A list of objects with one member each: a name, and what the kit says of the field. Undefined is what TypeScript makes of
 * the others' members.
 */
export type KitSchema = readonly Readonly<Record<string, object | undefined>>[];

type Attributes = Readonly<Record<string, unknown>>;

/** Taken as they are. */
const KNOWN = new Set(
  `type required default eq ne description referenceable encrypted unique immutable auto deprecation err one_of not_one_of
  len_eq len_min len_max starts_with uuid between gt timestamp is_regex contains mutually_exclusive_subsets reference on_delete`.split(
    /\s+/,
  ),
);
/** They say nothing that would matter here. */
const IGNORED = new Set(['indexed', 'abstract', 'json_schema_description']);
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'set', 'map', 'record', 'foreign']);

/** Throws TypeError naming what there is no counterpart for. */
export function convertSchema(schema: KitSchema): RecordField {
  return { type: 'record', required: true, fields: convertFields(schema, 'config') };
}

function convertFields(list: unknown, path: string): Readonly<Record<string, FieldDefinition>> {
  if (!Array.isArray(list)) throw new TypeError(`${path}: fields are a list of objects with one member`);
  return Object.fromEntries(
    list.flatMap((entry: unknown) =>
      Object.entries(entry as object).map(([name, field]) => [name, convertField(field, `${path}.${name}`)]),
    ),
  );
}

function convertField(field: unknown, path: string): FieldDefinition {
  const attributes = (field ?? {}) as Attributes;
  if (!TYPES.has(String(attributes['type'])))
    throw new TypeError(`${path}: there are no fields of type '${String(attributes['type'])}' here`);
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => convertAttribute(name, value, path)),
  ) as unknown as FieldDefinition;
}

type Member = readonly [name: string, value: unknown];

function convertAttribute(name: string, value: unknown, path: string): readonly Member[] {
  if (KNOWN.has(name)) return [[name, value]];
  if (IGNORED.has(name)) return [];
  switch (name) {
    case 'elements':
    case 'keys':
    case 'values':
      return [[name, convertField(value, `${path}.${name}`)]];
    case 'fields':
      return [[name, convertFields(value, path)]];
    case 'entity_checks':
      return [['checks', (value as readonly Attributes[]).map((check) => convertCheck(check, path))]];
    case 'match':
    case 'not_match':
      return [[name, translatePattern(String(value))]];
    case 'match_all':
    case 'match_none':
      return [[name, (value as readonly Attributes[]).map(convertRule)]];
    case 'match_any': {
      const { patterns, err } = value as { readonly patterns: readonly string[]; readonly err?: string };
      return [[name, patterns.map(translatePattern)], ...(err === undefined ? [] : [['err', err] as const])];
    }
    default:
      throw new TypeError(`${path}: '${name}' has no counterpart here`);
  }
}

function convertRule({ pattern, err }: Attributes): Attributes {
  return { pattern: translatePattern(String(pattern)), err: err ?? `invalid value` };
}

const LISTS = new Set([
  'at_least_one_of',
  'only_one_of',
  'distinct',
  'mutually_required',
  'mutually_exclusive',
]);
const OBJECTS = new Set(['conditional', 'conditional_at_least_one_of', 'mutually_exclusive_sets']);

function convertCheck(check: Attributes, path: string): EntityCheck {
  const [kind = '', given] = Object.entries(check)[0] ?? [];
  if (LISTS.has(kind)) return { kind, fields: given } as EntityCheck;
  if (!OBJECTS.has(kind)) throw new TypeError(`${path}: the rule '${kind}' has no counterpart here`);
  const members = Object.entries(given as Attributes).map(
    ([name, value]): Member =>
      name.endsWith('_match') ? [name, convertMatch(value as Attributes)] : [name, value],
  );
  return { kind, ...Object.fromEntries(members) } as unknown as EntityCheck;
}

function convertMatch(match: Attributes): FieldMatch {
  return Object.fromEntries(
    Object.entries(match).map(([name, value]) => [
      name,
      name === 'match' || name === 'not_match' ? translatePattern(String(value)) : value,
    ]),
  );
}
