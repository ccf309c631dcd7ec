/**
 * What a stranger's schema can cost whoever holds a value against it, which is the process that has the database: how much
 * its defaults make of nothing, and how much its patterns have to do. Pure; the schema has been checked.
 */
import { countStates } from './check-attributes.ts';
import { matchesOf } from './check-rules.ts';
import { isPlain, type Plain } from './plain-values.ts';

/** Values and characters that defaults put into one record. One list in another, of records with lists, has no bound. */
const MAX_EXPANSION = 16 * 1024;
/** Of all patterns: each may be busy at each character, some 25 ns, so that both bounds together are below a second. */
const MAX_STATES = 2048;
const MAX_CHECKS = 256;

export function checkSchemaCost(record: Plain): string | undefined {
  const fields = [...listFields(record)];
  const checks = fields.flatMap(checksOf);
  if (checks.length > MAX_CHECKS) return `has more than ${MAX_CHECKS} rules`;
  const states = [...fields, ...checks.flatMap(matchesOf)].reduce(
    (sum, field) => sum + countStates(field),
    0,
  );
  if (states > MAX_STATES) return `has patterns of more than ${MAX_STATES} characters`;
  const isTooLarge = fields.some(
    (field) => field['type'] === 'record' && expand(field, {}, 0) > MAX_EXPANSION,
  );
  return isTooLarge ? `has defaults that make more than ${MAX_EXPANSION} characters` : undefined;
}

function* listFields(field: Plain): Generator<Plain> {
  yield field;
  for (const part of partsOf(field)) yield* listFields(part);
}

function partsOf({ elements, keys, values, fields, shorthands }: Plain): readonly Plain[] {
  const replaced = isPlain(shorthands) ? Object.values(shorthands) : [];
  return [
    elements,
    keys,
    values,
    ...(isPlain(fields) ? Object.values(fields) : []),
    ...replaced.map((shorthand) => (isPlain(shorthand) ? shorthand['field'] : undefined)),
  ].filter(isPlain);
}

function checksOf({ checks }: Plain): readonly Plain[] {
  return Array.isArray(checks) ? checks : [];
}

/** `spent` and what completing `value` comes to (sdk/schema/apply-defaults.ts); no further than the bound. */
function expand(field: Plain, value: unknown, spent: number): number {
  if (spent > MAX_EXPANSION) return spent;
  if (value === undefined) {
    const { default: byDefault } = field;
    if (byDefault !== undefined) return expand(field, byDefault, spent);
    return field['type'] === 'record' && field['required'] === true ? expand(field, {}, spent) : spent + 1;
  }
  const { fields, elements, values } = field;
  if (isPlain(fields) && isPlain(value)) {
    return Object.entries(fields).reduce(
      (sum, [name, member]) =>
        expand(member as Plain, Object.hasOwn(value, name) ? value[name] : undefined, sum),
      spent + 1,
    );
  }
  const part = Array.isArray(value) ? elements : isPlain(value) ? values : undefined;
  if (!isPlain(part)) return spent + JSON.stringify(value).length;
  return Object.values(value as Plain).reduce(
    (sum: number, item) => expand(part, item ?? null, sum),
    spent + 1,
  );
}
