/** Deprecated spellings of fields: accepted on input, copied to their new place, and shown beside it. */
import type { ErrorNode, ErrorTree } from './error-tree.ts';
import type { RecordField, ShorthandField } from './fields.ts';
import { deprecatedMismatch } from './messages.ts';
import {
  isPlainRecord,
  isSameValue,
  type PlainRecord,
  readPath,
  withMember,
  withPath,
} from './plain-record.ts';
import { validateField } from './validate.ts';

export type Expansion =
  | { readonly ok: true; readonly value: PlainRecord }
  | { readonly ok: false; readonly errors: ErrorTree };

/**
 * Moves deprecated members of an input, at any depth, to where they live now. Fails when one is malformed or
 * contradicts its successor; the errors are keyed by the deprecated name alone, as clients expect them at the top
 * of `fields`. Source: contract/admin-api.md section 3.5.
 */
export function expandShorthands(record: RecordField, input: PlainRecord): Expansion {
  const errors: [string, ErrorNode][] = [];
  const value = expandRecord(record, input, (name, error) => errors.push([name, error]));
  return errors.length > 0 ? { ok: false, errors: Object.fromEntries(errors) } : { ok: true, value };
}

/** A complete value with every deprecated member showing what its successor holds. */
export function showShorthands(record: RecordField, value: PlainRecord): PlainRecord {
  let shown = mapRecords(record, value, showShorthands);
  for (const [name, shorthand] of Object.entries(record.shorthands ?? {})) {
    shown = withMember(shown, name, readPath(value, shorthand.replaced_with) ?? null);
  }
  return shown;
}

type Report = (name: string, error: ErrorNode) => void;

function expandRecord(record: RecordField, input: PlainRecord, report: Report): PlainRecord {
  let value = input;
  for (const [name, shorthand] of Object.entries(record.shorthands ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    const given = value[name];
    value = Object.fromEntries(Object.entries(value).filter(([member]) => member !== name));
    const error = validateField(shorthand.field, given) ?? findMismatch(name, shorthand, given, value);
    if (error !== undefined) report(name, error);
    else value = moveValue(shorthand, given, value);
  }
  return mapRecords(record, value, (field, child) => expandRecord(field, child, report));
}

/** A null says nothing against a successor that has a value, nor the other way round. */
function findMismatch(
  name: string,
  shorthand: ShorthandField,
  given: unknown,
  value: PlainRecord,
): string | undefined {
  const successor = readPath(value, shorthand.replaced_with);
  if (isAbsent(given) || isAbsent(successor) || isSameValue(given, successor)) return undefined;
  return deprecatedMismatch(name, showValue(given), shorthand.replaced_with.join('.'), showValue(successor));
}

function moveValue(shorthand: ShorthandField, given: unknown, value: PlainRecord): PlainRecord {
  const isTaken = !isAbsent(readPath(value, shorthand.replaced_with));
  const parent = readPath(value, shorthand.replaced_with.slice(0, -1));
  const isBlocked = parent !== undefined && parent !== null && !isPlainRecord(parent);
  return isTaken || isBlocked ? value : withPath(value, shorthand.replaced_with, given);
}

/** Applies `transform` to the members that are records. */
function mapRecords(
  record: RecordField,
  value: PlainRecord,
  transform: (field: RecordField, child: PlainRecord) => PlainRecord,
): PlainRecord {
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => {
      const field = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
      return [name, field?.type === 'record' && isPlainRecord(child) ? transform(field, child) : child];
    }),
  );
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

function showValue(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
