/** Header names and values as plugins may write them. The host checks again: this is for the author's sake. */

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/;
const FORBIDDEN_IN_VALUE = /[\r\n\0]/;

/** Names found valid: a plugin uses the same few again and again. */
const validNames = new Set<string>();
const MAX_VALID_NAMES = 500;

/** Throws TypeError on a name that is not a token. */
export function checkHeaderName(name: unknown): string {
  if (validNames.has(name as string)) return name as string;
  if (typeof name !== 'string' || !NAME.test(name))
    throw new TypeError(`invalid header name '${String(name)}'`);
  if (validNames.size < MAX_VALID_NAMES) validNames.add(name);
  return name;
}

/** Text of a header value. Throws TypeError on CR, LF, NUL and on what is not text, number or boolean. */
export function checkHeaderValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') throw new TypeError('a header value is a string, a number or a boolean');
  if (FORBIDDEN_IN_VALUE.test(value)) throw new TypeError('a header value cannot contain CR, LF or NUL');
  return value;
}
