/** A schema as a stranger's package declares it, checked before values are held against it. Pure. */
import { findBrokenAttribute, isText } from './check-attributes.ts';
import { isRule } from './check-rules.ts';
import { checkSchemaCost } from './check-schema-cost.ts';
import { isListOf, isPlain, oneOf, type Plain } from './plain-values.ts';

const FIELD_TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'set', 'map', 'record', 'foreign'];
/** Texts, and what holds them. */
const ENCRYPTABLE = ['string', 'array', 'set', 'map'];
const MAX_DEPTH = 12;

export function checkSchema(schema: unknown): string | undefined {
  if (!isPlain(schema) || schema['type'] !== 'record') return 'schema must be made with s.config(…)';
  return checkWholeRecord(schema, 'schema');
}

/** A record that values are held against as a whole: its parts, and what they can cost together. */
export function checkWholeRecord(record: Plain, path: string): string | undefined {
  const problem = checkField(record, path, 0);
  if (problem !== undefined) return problem;
  const cost = checkSchemaCost(record);
  return cost && `${path} ${cost}`;
}

function checkField(field: unknown, path: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `${path} is nested too deeply`;
  if (!isPlain(field) || !oneOf(FIELD_TYPES)(field['type'])) return `${path} is no field`;
  // A default is the author's word: it may not name a secret of the operator's.
  if (JSON.stringify(field['default'] ?? null).includes('{vault:')) return `${path}.default names a secret`;
  if (field['encrypted'] !== undefined && !oneOf(ENCRYPTABLE)(field['type'])) {
    return `${path} is encrypted, and no text`;
  }
  const broken = findBrokenAttribute(field);
  if (broken !== undefined) return `${path}.${broken}`;
  switch (field['type']) {
    case 'array':
    case 'set':
      return checkField(field['elements'], `${path}.elements`, depth + 1);
    case 'map':
      return (
        checkField(field['keys'], `${path}.keys`, depth + 1) ??
        checkField(field['values'], `${path}.values`, depth + 1)
      );
    case 'record':
      return checkRecord(field, path, depth);
    case 'foreign':
      return typeof field['reference'] === 'string' ? undefined : `${path}.reference is missing`;
    default:
      return undefined;
  }
}

function checkRecord({ fields, checks, shorthands }: Plain, path: string, depth: number): string | undefined {
  if (!isPlain(fields)) return `${path}.fields is missing`;
  if (checks !== undefined && !isListOf(checks, isRule)) return `${path}.checks is no list of rules`;
  const replaced = Object.entries(isPlain(shorthands) ? shorthands : {}).map(
    ([name, shorthand]) => [name, isShorthand(shorthand) ? shorthand['field'] : undefined] as const,
  );
  for (const [name, field] of [...Object.entries(fields), ...replaced]) {
    const problem = checkField(field, `${path}.${name}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isShorthand = (given: unknown): given is Plain =>
  isPlain(given) && isListOf(given['replaced_with'], isText) && isPlain(given['deprecation']);
