/** Patterns and rules of a stranger's schema, checked before the Admin API goes by them. Pure. */
import { isListOf, isPlain, type Plain } from './plain-values.ts';

const isText = (value: unknown): boolean => typeof value === 'string';

function isPattern(value: unknown): boolean {
  try {
    new RegExp(String(value), 'u');
    return true;
  } catch {
    return false;
  }
}

const isPatternText = (value: unknown): boolean => isText(value) && isPattern(value);
const isPatternRule = (value: unknown): boolean =>
  isPlain(value) && isPatternText(value['pattern']) && isText(value['err']);

/** Attributes that the Admin API reads as regular expressions. */
const PATTERNS: Readonly<Record<string, (value: unknown) => boolean>> = {
  match: isPatternText,
  not_match: isPatternText,
  match_any: (value) => isListOf(value, isPatternText),
  match_all: (value) => isListOf(value, isPatternRule),
  match_none: (value) => isListOf(value, isPatternRule),
};

/** Name of the attribute that is none; undefined when all are. */
export function findBrokenPattern(attributes: Plain): string | undefined {
  return Object.keys(PATTERNS).find(
    (name) => attributes[name] !== undefined && PATTERNS[name]?.(attributes[name]) !== true,
  );
}

/** Members of each kind of rule that list fields, and those that name one or are rules for one. */
const RULES: Readonly<Record<string, readonly [lists: readonly string[], others: readonly string[]]>> = {
  at_least_one_of: [['fields'], []],
  only_one_of: [['fields'], []],
  distinct: [['fields'], []],
  mutually_required: [['fields'], []],
  mutually_exclusive: [['fields'], []],
  mutually_exclusive_sets: [['set1', 'set2'], []],
  conditional: [[], ['if_field', 'if_match', 'then_field', 'then_match']],
  conditional_at_least_one_of: [['then_at_least_one_of'], ['if_field', 'if_match']],
  non_decreasing: [['fields'], ['noun']],
  record_rule: [[], ['when', 'then', 'err']],
};

/** A rule across fields: the Admin API goes by them without looking again. */
export function isRule(rule: unknown): boolean {
  if (!isPlain(rule) || typeof rule['kind'] !== 'string' || !Object.hasOwn(RULES, rule['kind'])) return false;
  const [lists, others] = RULES[rule['kind']] as (typeof RULES)[string];
  return (
    lists.every((name) => isListOf(rule[name], isText)) &&
    others.every((name) => isRulePart(name, rule[name])) &&
    isListOf(rule['unless_any_of'] ?? [], isText)
  );
}

function isRulePart(name: string, part: unknown): boolean {
  if (name.endsWith('_match')) return isMatch(part);
  if (name !== 'when' && name !== 'then') return isText(part);
  return isPlain(part) && isText(part['field']) && isMatch(part['match']);
}

const isMatch = (match: unknown): boolean => isPlain(match) && findBrokenPattern(match) === undefined;
