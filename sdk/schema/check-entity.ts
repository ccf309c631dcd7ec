/** Rules across the fields of a record. A rule whose fields are already in error keeps silent. */
import { checkMatch } from './check-attributes.ts';
import { ENTITY_MEMBER, type ErrorNode, type ErrorTree, isErrorTree } from './error-tree.ts';
import type { EntityCheck } from './fields.ts';
import * as messages from './messages.ts';
import { isPlainRecord, isSameValue, type PlainRecord, readPath, withPath } from './plain-record.ts';

export type Operation = 'insert' | 'update' | 'upsert';

/** A violated rule: its text for `@entity`, and the error of one field where the rule names one. */
interface Violation {
  readonly text: string;
  readonly field?: { readonly name: string; readonly text: string };
}

type ListCheck = Extract<EntityCheck, { fields: readonly string[] }>;

/** Adds what the checks find to `errors`; field names may be paths such as `config.minute`. */
export function checkAcrossFields(
  checks: readonly EntityCheck[],
  record: PlainRecord,
  errors: ErrorTree,
  operation: Operation,
): ErrorTree {
  let found = errors;
  for (const check of checks) {
    if (fieldsOf(check).some((name) => readPath(found, name.split('.')) !== undefined)) continue;
    const violation = findViolation(check, record, operation);
    if (violation) found = addViolation(found, violation);
  }
  return found;
}

/**
 * The error of a record as a whole: `non_decreasing` and `record_rule`. Asked only when nothing else is wrong with
 * the record, because the text takes the place of the record's tree.
 */
export function checkWholeRecord(checks: readonly EntityCheck[], record: PlainRecord): string | undefined {
  for (const check of checks) {
    const text =
      check.kind === 'non_decreasing'
        ? checkNonDecreasing(check, record)
        : check.kind === 'record_rule'
          ? checkRecordRule(check, record)
          : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Whether a check's text is the whole error of its record rather than an entry of `@entity`. */
export function concernsWholeRecord(check: EntityCheck): boolean {
  return check.kind === 'non_decreasing' || check.kind === 'record_rule';
}

function fieldsOf(check: EntityCheck): readonly string[] {
  switch (check.kind) {
    case 'conditional':
      return [check.if_field, check.then_field];
    case 'conditional_at_least_one_of':
      return [check.if_field];
    case 'mutually_exclusive_sets':
      return [...check.set1, ...check.set2];
    case 'record_rule':
    case 'non_decreasing':
      return [];
    default:
      return check.fields;
  }
}

function findViolation(check: EntityCheck, record: PlainRecord, operation: Operation): Violation | undefined {
  switch (check.kind) {
    case 'conditional':
      return checkConditional(check, record);
    case 'conditional_at_least_one_of':
      return checkConditionalAtLeastOne(check, record, operation);
    case 'mutually_exclusive_sets':
      return checkSets([check.set1, check.set2], record);
    case 'record_rule':
    case 'non_decreasing':
      return undefined;
    default:
      return checkList(check, record, operation);
  }
}

function checkList(check: ListCheck, record: PlainRecord, operation: Operation): Violation | undefined {
  const values = check.fields.map((name) => readPath(record, name.split('.')));
  const set = values.filter((value) => !isEmpty(value)).length;
  switch (check.kind) {
    case 'at_least_one_of':
      return set > 0 ? undefined : { text: whenUpdating(messages.atLeastOneOf(check.fields), operation) };
    case 'only_one_of':
      return set === 1 ? undefined : { text: messages.onlyOneOf(check.fields) };
    case 'mutually_required':
      return set === 0 || set === values.length
        ? undefined
        : { text: messages.mutuallyRequired(check.fields) };
    case 'mutually_exclusive':
      return set <= 1 ? undefined : { text: messages.mutuallyExclusive(check.fields) };
    case 'distinct':
      return hasRepetition(values) ? { text: messages.distinct(check.fields) } : undefined;
    default:
      return undefined;
  }
}

function checkConditional(
  check: Extract<EntityCheck, { kind: 'conditional' }>,
  record: PlainRecord,
): Violation | undefined {
  if (checkMatch(readPath(record, check.if_field.split('.')), check.if_match) !== undefined) return undefined;
  const isGiven = (name: string) => !isEmpty(readPath(record, name.split('.')));
  if (check.unless_any_of?.some(isGiven)) return undefined;
  const text = checkMatch(readPath(record, check.then_field.split('.')), check.then_match);
  if (text === undefined) return undefined;
  return {
    text: check.then_err ?? messages.failedConditional(check.if_field),
    field: { name: check.then_field, text },
  };
}

function checkConditionalAtLeastOne(
  check: Extract<EntityCheck, { kind: 'conditional_at_least_one_of' }>,
  record: PlainRecord,
  operation: Operation,
): Violation | undefined {
  if (checkMatch(readPath(record, check.if_field.split('.')), check.if_match) !== undefined) return undefined;
  const names = check.then_at_least_one_of;
  if (names.some((name) => !isEmpty(readPath(record, name.split('.'))))) return undefined;
  return { text: check.then_err ?? whenUpdating(messages.atLeastOneOf(names), operation) };
}

function checkSets(sets: readonly (readonly string[])[], record: PlainRecord): Violation | undefined {
  const given = sets.map((names) => names.filter((name) => !isEmpty(readPath(record, name.split('.')))));
  return given.every((names) => names.length > 0) ? { text: messages.exclusiveSets(given) } : undefined;
}

/** Numbers are shown with one decimal, as the reference prints them: `hour(10.0)`. */
function checkNonDecreasing(
  check: Extract<EntityCheck, { kind: 'non_decreasing' }>,
  record: PlainRecord,
): string | undefined {
  const numbers = check.fields.flatMap((name) => {
    const value = readPath(record, name.split('.'));
    return typeof value === 'number' ? [{ name, value }] : [];
  });
  for (const [index, lower] of numbers.entries()) {
    const upper = numbers.slice(index + 1).find(({ value }) => value < lower.value);
    if (!upper) continue;
    const show = ({ name, value }: { name: string; value: number }) => `${name}(${value.toFixed(1)})`;
    return `The ${check.noun} for ${show(upper)} cannot be lower than the ${check.noun} for ${show(lower)}`;
  }
  return undefined;
}

function checkRecordRule(
  check: Extract<EntityCheck, { kind: 'record_rule' }>,
  record: PlainRecord,
): string | undefined {
  const violates = ({ field, match }: (typeof check)['when']) =>
    checkMatch(readPath(record, field.split('.')), match) !== undefined;
  return !violates(check.when) && violates(check.then) ? check.err : undefined;
}

function addViolation(errors: ErrorTree, { text, field }: Violation): ErrorTree {
  const texts = errors[ENTITY_MEMBER];
  const added: ErrorTree = { ...errors, [ENTITY_MEMBER]: [...(Array.isArray(texts) ? texts : []), text] };
  if (!field) return added;
  // A text already standing where the path leads through is left alone: a field is reported once.
  const path = field.name.split('.');
  const isBlocked = path.slice(0, -1).some((_, depth) => {
    const node = readPath(added, path.slice(0, depth + 1)) as ErrorNode | undefined;
    return node !== undefined && !isErrorTree(node);
  });
  return isBlocked ? added : (withPath(added, path, field.text) as ErrorTree);
}

function whenUpdating(text: string, operation: Operation): string {
  return operation === 'update' ? `when updating, ${text}` : text;
}

/** Null, absence, and empty lists, maps and strings do not count as set. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : isPlainRecord(value) && Object.keys(value).length === 0;
}

function hasRepetition(values: readonly unknown[]): boolean {
  return values.some(
    (value, index) => !isEmpty(value) && values.slice(index + 1).some((other) => isSameValue(value, other)),
  );
}
