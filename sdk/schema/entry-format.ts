/** Entries `name:value` of lists of changes: contract/plugins.md section 15. */
import { invalidValue } from './messages.ts';
import { compileTemplate } from './template.ts';

const HEADER_NAME = /^[A-Za-z0-9_-]+$/;
const FORBIDDEN_IN_HEADER = /[\r\n\0]/;

/** Name and value; the value is everything behind the first colon, '' without one. */
export function splitEntry(entry: string): readonly [name: string, value: string] {
  const colon = entry.indexOf(':');
  return colon < 0 ? [entry, ''] : [entry.slice(0, colon), entry.slice(colon + 1)];
}

/** `name:template`, for fields of a body and arguments. */
export function checkValueEntry(entry: string): string | undefined {
  const [name, value] = splitEntry(entry);
  return name === '' || value === '' ? `key '${name}' has no value` : checkTemplate(value);
}

/** `name`. */
export function checkHeaderEntry(entry: string): string | undefined {
  return checkHeader(splitEntry(entry)[0]);
}

/** `name:new-name`. */
export function checkHeaderRename(entry: string): string | undefined {
  const [from, to] = splitEntry(entry);
  if (from === '' || !entry.includes(':')) return invalidValue(entry);
  return checkHeader(from) ?? checkHeader(to);
}

/** `name:template`; the value may be empty. */
export function checkHeaderValueEntry(entry: string): string | undefined {
  const [name, value] = splitEntry(entry);
  if (name === '' || !entry.includes(':')) return invalidValue(entry);
  const refused = checkHeader(name);
  if (refused !== undefined) return refused;
  return FORBIDDEN_IN_HEADER.test(value) ? `'${value}' is not a valid header` : checkTemplate(value);
}

export function checkTemplate(text: string): string | undefined {
  try {
    compileTemplate(text);
    return undefined;
  } catch (error) {
    return `value '${text}' is not in supported format, error:${error instanceof Error ? error.message : error}`;
  }
}

function checkHeader(name: string): string | undefined {
  return HEADER_NAME.test(name) ? undefined : `'${name}' is not a valid header`;
}
