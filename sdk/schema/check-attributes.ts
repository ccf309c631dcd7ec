/** The rules that are plain attributes, in the order in which they are asked: the first that fails speaks for the field. */
import type { FieldDefinition, FieldMatch, PatternRule } from './fields.ts';
import * as messages from './messages.ts';
import { matchesPattern } from './pattern.ts';
import { isPlainRecord } from './plain-record.ts';

/** Every attribute a field or a match may have, whatever its type. */
export interface Attributes {
  readonly required?: boolean;
  readonly eq?: unknown;
  readonly ne?: unknown;
  readonly one_of?: readonly unknown[];
  readonly not_one_of?: readonly unknown[];
  readonly gt?: number;
  readonly between?: readonly [number, number];
  readonly timestamp?: boolean;
  readonly uuid?: boolean;
  readonly len_eq?: number;
  readonly len_min?: number;
  readonly len_max?: number;
  readonly starts_with?: string;
  readonly match?: string;
  readonly not_match?: string;
  readonly match_all?: readonly PatternRule[];
  readonly match_none?: readonly PatternRule[];
  readonly match_any?: readonly string[];
  readonly is_regex?: boolean;
  readonly err?: string;
  readonly contains?: string;
  readonly mutually_exclusive_subsets?: readonly (readonly string[])[];
}

type Rule = (value: unknown, attributes: Attributes) => string | undefined;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

const RULES: readonly Rule[] = [
  (value, { eq }) => (eq === undefined || eq === value ? undefined : messages.mustBe(eq)),
  (value, { ne }) => (ne === undefined || ne !== value ? undefined : messages.mustNotBe(ne)),
  (value, { not_one_of }) => (not_one_of?.includes(value) ? messages.notOneOf(not_one_of) : undefined),
  (value, { one_of }) => (!one_of || one_of.includes(value) ? undefined : messages.oneOf(one_of)),
  (value, { gt }) => (gt === undefined || Number(value) > gt ? undefined : messages.greaterThan(gt)),
  (value, { timestamp }) => (timestamp && !(Number(value) > 0) ? messages.EXPECTED_TIMESTAMP : undefined),
  (value, { uuid }) => (uuid && !isUuid(value) ? messages.EXPECTED_UUID : undefined),
  (value, { is_regex }) =>
    is_regex && !isRegex(String(value)) ? messages.notRegex(String(value)) : undefined,
  (value, { between }) =>
    !between || (Number(value) >= between[0] && Number(value) <= between[1])
      ? undefined
      : messages.between(between[0], between[1]),
  (value, { len_eq }) =>
    len_eq === undefined || sizeOf(value) === len_eq ? undefined : messages.lengthIs(len_eq),
  (value, { len_min }) =>
    len_min === undefined || sizeOf(value) >= len_min ? undefined : messages.lengthAtLeast(len_min),
  (value, { len_max }) =>
    len_max === undefined || sizeOf(value) <= len_max ? undefined : messages.lengthAtMost(len_max),
  (value, { starts_with }) =>
    starts_with === undefined || String(value).startsWith(starts_with)
      ? undefined
      : messages.startsWith(starts_with),
  (value, { not_match, err }) =>
    not_match !== undefined && matches(value, not_match)
      ? (err ?? messages.invalidValue(String(value)))
      : undefined,
  (value, { match_none }) => match_none?.find(({ pattern }) => matches(value, pattern))?.err,
  (value, { match, err }) =>
    match === undefined || matches(value, match) ? undefined : (err ?? messages.invalidValue(String(value))),
  (value, { match_all }) => match_all?.find(({ pattern }) => !matches(value, pattern))?.err,
  (value, { match_any, err }) =>
    match_any === undefined || match_any.some((pattern) => matches(value, pattern))
      ? undefined
      : (err ?? messages.invalidValue(String(value))),
  (value, { contains }) =>
    contains === undefined || (Array.isArray(value) && value.includes(contains))
      ? undefined
      : messages.contains(contains),
  (value, { mutually_exclusive_subsets: subsets }) => (subsets ? checkSubsets(value, subsets) : undefined),
];

function matches(value: unknown, pattern: string): boolean {
  return matchesPattern(String(value), pattern);
}

export function isRegex(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

/** What null or absence violates, or undefined when it is fine. */
export function checkAbsence(attributes: Attributes): string | undefined {
  if (attributes.ne === null) return messages.mustNotBe(null);
  if (attributes.eq !== undefined && attributes.eq !== null) return messages.mustBe(attributes.eq);
  return attributes.required ? messages.REQUIRED : undefined;
}

/** The text of the first violated attribute of a value that is neither null nor absent. */
export function checkAttributes(value: unknown, attributes: Attributes): string | undefined {
  for (const rule of RULES) {
    const text = rule(value, attributes);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** What a value violates of a `conditional`'s match; null passes all but `required`, `eq`, `ne` and `contains`. */
export function checkMatch(value: unknown, match: FieldMatch): string | undefined {
  if (value !== null && value !== undefined) return checkAttributes(value, match);
  return (
    checkAbsence(match) ?? (match.contains === undefined ? undefined : messages.contains(match.contains))
  );
}

/** A field's attributes, with the default that strings may not be empty. */
export function attributesOf(field: FieldDefinition): Attributes {
  return field.type === 'string' && field.len_min === undefined && field.len_eq === undefined
    ? { ...field, len_min: 1 }
    : (field as Attributes);
}

/** Length of a string in UTF-8 bytes, of a list in elements, of a map in members. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return utf8Length(value);
  if (Array.isArray(value)) return value.length;
  return isPlainRecord(value) ? Object.keys(value).length : 0;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Members of two of the sets may not stand together; the text names every set that has a member present. */
function checkSubsets(value: unknown, subsets: readonly (readonly string[])[]): string | undefined {
  const present = subsets.filter(
    (subset) => Array.isArray(value) && subset.some((member) => value.includes(member)),
  );
  return present.length > 1 ? messages.exclusiveSets(present) : undefined;
}
