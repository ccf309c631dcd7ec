/** Header operations as text: written while a plugin runs, read back only when it asks for a header afterwards. */
import type { HeaderMap, HeaderValue } from '../header-value.ts';
import { OPERATION_SEPARATOR } from '../protocol/phase-result.ts';
import { checkHeaderName, checkHeaderValue } from './header-text.ts';

/** Set (replaces all values), add a value, remove. */
export type HeaderOperation = 's' | 'a' | 'r';

/** `operations` with one more behind it. Name and value have been checked. */
export function recordOperation(
  operations: string,
  operation: HeaderOperation,
  name: string,
  value: string,
): string {
  const recorded = operation + OPERATION_SEPARATOR + name + OPERATION_SEPARATOR + value;
  return operations === '' ? recorded : operations + OPERATION_SEPARATOR + recorded;
}

/** Checks and records setting a header. Throws TypeError on a name or value that cannot be sent. */
export function recordSet(operations: string, name: string, value: HeaderValue): string {
  checkHeaderName(name);
  if (!Array.isArray(value)) return recordOperation(operations, 's', name, checkHeaderValue(value));
  const [first, ...rest] = value as readonly string[];
  if (first === undefined) return recordOperation(operations, 'r', name, '');
  return recordAdd(recordOperation(operations, 's', name, checkHeaderValue(first)), name, rest);
}

export function recordAdd(operations: string, name: string, value: HeaderValue): string {
  checkHeaderName(name);
  if (!Array.isArray(value)) return recordOperation(operations, 'a', name, checkHeaderValue(value));
  let recorded = operations;
  for (const single of value as readonly string[])
    recorded = recordOperation(recorded, 'a', name, checkHeaderValue(single));
  return recorded;
}

export function recordRemoval(operations: string, name: string): string {
  return recordOperation(operations, 'r', checkHeaderName(name), '');
}

/** All of them or, when one cannot be sent, none. */
export function recordAll(operations: string, headers: HeaderMap): string {
  let recorded = operations;
  for (const [name, value] of Object.entries(headers)) recorded = recordSet(recorded, name, value);
  return recorded;
}

/** Names that operations touch, in lower case. */
export function listTouched(operations: string): readonly string[] {
  const parts = operations === '' ? [] : operations.split(OPERATION_SEPARATOR);
  return parts.filter((_, at) => at % 3 === 1).map((name) => name.toLowerCase());
}

/**
 * What operations recorded so far make of one lower-case name: undefined when they do not touch it, otherwise its
 * values. `-` and `_` are the same in removals, as they are when the host applies them.
 */
export function applyOperations(
  operations: string,
  name: string,
  original: () => string[],
): string[] | undefined {
  if (operations === '') return undefined;
  const parts = operations.split(OPERATION_SEPARATOR);
  let values: string[] | undefined;
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const target = (parts[at + 1] ?? '').toLowerCase();
    const value = parts[at + 2] ?? '';
    switch (parts[at]) {
      case 's':
        if (target === name) values = [value];
        break;
      case 'a':
        if (target === name) values = [...(values ?? original()), value];
        break;
      case 'r':
        if (target.replaceAll('_', '-') === name.replaceAll('_', '-')) values = [];
        break;
    }
  }
  return values;
}
