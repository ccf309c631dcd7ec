/** Attributes of a stranger's fields, checked before the Admin API goes by them without looking again. Pure. */
import { FORMATS } from '../../sdk/schema/index.ts';
import { compileSchemaRegex } from '../router/path-regex.ts';
import { isListOf, isPlain, type Plain } from './plain-values.ts';

type Accepts = (value: unknown) => boolean;

export const isText: Accepts = (value) => typeof value === 'string';
const isNumber: Accepts = (value) => Number.isFinite(value);
const isSwitch: Accepts = (value) => typeof value === 'boolean';
const isList: Accepts = Array.isArray;
const isRange: Accepts = (value) => isListOf(value, isNumber) && (value as readonly unknown[]).length === 2;

/** Costs what it may keep busy at each character; undefined for what is no pattern or cannot run in linear time. */
function statesOf(pattern: unknown): number | undefined {
  try {
    new RegExp(String(pattern), 'u');
    return typeof pattern === 'string' ? compileSchemaRegex(pattern).states : undefined;
  } catch {
    return undefined;
  }
}

const isPattern: Accepts = (value) => statesOf(value) !== undefined;
const isPatternRule: Accepts = (value) =>
  isPlain(value) && isPattern(value['pattern']) && isText(value['err']);

const PATTERNS: Readonly<Record<string, Accepts>> = {
  match: isPattern,
  not_match: isPattern,
  match_any: (value) => isListOf(value, isPattern),
  match_all: (value) => isListOf(value, isPatternRule),
  match_none: (value) => isListOf(value, isPatternRule),
};

const OTHERS: Readonly<Record<string, Accepts>> = {
  required: isSwitch,
  unique: isSwitch,
  immutable: isSwitch,
  auto: isSwitch,
  referenceable: isSwitch,
  encrypted: isSwitch,
  uuid: isSwitch,
  timestamp: isSwitch,
  is_regex: isSwitch,
  one_of: isList,
  not_one_of: isList,
  gt: isNumber,
  between: isRange,
  len_eq: isNumber,
  len_min: isNumber,
  len_max: isNumber,
  starts_with: isText,
  contains: isText,
  description: isText,
  err: isText,
  format: (value) => isText(value) && Object.hasOwn(FORMATS, value as string),
  deprecation: isPlain,
  mutually_exclusive_subsets: (value) => isListOf(value, (subset) => isListOf(subset, isText)),
};

/** What is wrong with one of them, its name in front; undefined when all are well. */
export function findBrokenAttribute(attributes: Plain): string | undefined {
  const isBroken = ([name, accepts]: [string, Accepts]) =>
    attributes[name] !== undefined && !accepts(attributes[name]);
  const pattern = Object.entries(PATTERNS).find(isBroken);
  if (pattern) return `${pattern[0]} is no regular expression that runs in linear time`;
  const other = Object.entries(OTHERS).find(isBroken);
  return other && `${other[0]} is malformed`;
}

/** Of all its patterns together. They have been checked. */
export function countStates({ match, not_match, match_any, match_all, match_none }: Plain): number {
  const rules = [match_all, match_none].flatMap((list) => (list ?? []) as readonly Plain[]);
  return [
    match,
    not_match,
    ...((match_any ?? []) as readonly unknown[]),
    ...rules.map((rule) => rule['pattern']),
  ]
    .filter((pattern) => pattern !== undefined)
    .reduce((sum: number, pattern) => sum + (statesOf(pattern) ?? 0), 0);
}
