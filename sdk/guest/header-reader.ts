/** Headers as plugins read them: what came, seen through what has been recorded for it since. */
import { findHeader, findHeaderValues, groupHeaders } from './header-lines.ts';
import { applyOperations, listTouched } from './header-operations.ts';

type Mark = '' | '>' | '<';

/** First value, or undefined. `mark` is one of HEADER_MARKS, or '' for the client's request. */
export function readHeader(
  text: string,
  operations: string,
  name: string,
  mark: Mark = '',
): string | undefined {
  const lower = name.toLowerCase();
  const found = readExactly(text, operations, lower, mark);
  return found === undefined && lower.includes('_')
    ? readExactly(text, operations, lower.replaceAll('_', '-'), mark)
    : found;
}

export function readHeaderValues(text: string, operations: string, name: string, mark: Mark = ''): string[] {
  const lower = name.toLowerCase();
  const found = readValues(text, operations, lower, mark);
  return found.length === 0 && lower.includes('_')
    ? readValues(text, operations, lower.replaceAll('_', '-'), mark)
    : found;
}

/** Lower-case name → every value. Has no prototype. */
export function readAllHeaders(text: string, operations: string, mark: Mark = ''): Record<string, string[]> {
  const headers = groupHeaders(text, mark);
  if (operations === '') return headers;
  for (const name of new Set([...Object.keys(headers), ...listTouched(operations)])) {
    const values = applyOperations(operations, name, () => headers[name] ?? []);
    if (values === undefined) continue;
    if (values.length === 0) delete headers[name];
    else headers[name] = values;
  }
  return headers;
}

function readExactly(text: string, operations: string, lower: string, mark: Mark): string | undefined {
  return operations === '' ? findHeader(text, mark + lower) : readValues(text, operations, lower, mark)[0];
}

function readValues(text: string, operations: string, lower: string, mark: Mark): string[] {
  const original = () => findHeaderValues(text, mark + lower);
  return applyOperations(operations, lower, original) ?? original();
}
