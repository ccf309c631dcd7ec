/** Rules across the fields of a stranger's schema, checked before the Admin API goes by them. Pure. */
import { findBrokenAttribute, isText } from './check-attributes.ts';
import { isListOf, isPlain, type Plain } from './plain-values.ts';

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
    isListOf(rule['unless_any_of'] ?? [], isText) &&
    isText(rule['then_err'] ?? '')
  );
}

/** What a checked rule compares fields with. */
export function matchesOf(rule: Plain): readonly Plain[] {
  const parts = [rule['when'], rule['then']].map((part) => (isPlain(part) ? part['match'] : undefined));
  return [rule['if_match'], rule['then_match'], ...parts].filter(isPlain);
}

function isRulePart(name: string, part: unknown): boolean {
  if (name.endsWith('_match')) return isMatch(part);
  if (name !== 'when' && name !== 'then') return isText(part);
  return isPlain(part) && isText(part['field']) && isMatch(part['match']);
}

const isMatch = (match: unknown): boolean => isPlain(match) && findBrokenAttribute(match) === undefined;
