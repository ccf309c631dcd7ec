/**
 * Blanks out credentials in whatever is about to be logged: by the name of a member, and in texts by what stands
 * before the value. It errs on the side of hiding. Pure.
 */

const CENSORED = '******';
const MAX_TEXT_LENGTH = 16_384;
const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;

/** The short words count only as a word of their own, so that `monkey` stays readable. */
const SECRET_WORDS =
  '(?:(?<![a-z0-9])(?:keys?|tokens?|pwd|(?<!-)auth)|api[_-]?keys?|pass(?:word|wd|phrase)s?|secrets?|credentials?|authorization|cookie)';
const SECRET_NAME = new RegExp(`${SECRET_WORDS}$`, 'i');
const CAMEL_CASE_NAME = /[a-z](?:Key|Token)s?$/;

/** The user part of a URL: a password, and often a name that is worth as much. */
const URL_LOGIN = /(?<=\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]*@/gi;
/** Both schemes, with what looks like their credentials and not like the next word of a sentence. */
const AUTH_SCHEME = /\b(basic|bearer)\s+(?=\S*[\d=._])[\w+/=.~-]{4,}/gi;
/** Postgres tells of the clash `(key)=(value)`. */
const CLASHING_COLUMN = new RegExp(String.raw`(${SECRET_WORDS}\)=\()[^)]*`, 'gi');
/**
 * A name, then a value: `password=…`, `"password": "…"`, the same within a JSON text, a header line, and a name and
 * value as neighbours in a list.
 */
const NAMED_VALUE = new RegExp(
  String.raw`(${SECRET_WORDS}(?:\\{0,8}["'])?\s{0,8}(?:[:=]>?|(?<=["']\s{0,8}),)\s{0,8})` +
    String.raw`("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\+["'][\s\S]*?\\+["']|(?:basic|bearer|digest|negotiate)\s+[^\s,"'\\]+|[^\s,;&"'\\})\]]+)`,
  'gi',
);

/** Whether the value of a member or header of this name is not to be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) || CAMEL_CASE_NAME.test(name);
}

/** The text with everything that looks like a credential blanked out, cut at 16384 characters. */
export function censorText(text: string): string {
  const kept = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  return kept
    .replace(URL_LOGIN, `${CENSORED}@`)
    .replace(CLASHING_COLUMN, `$1${CENSORED}`)
    .replace(NAMED_VALUE, censorNamed)
    .replace(AUTH_SCHEME, `$1 ${CENSORED}`);
}

/** The quotes around a value stay, so that a line of JSON remains one. */
function censorNamed(_match: string, name: string, value: string): string {
  const [quote = ''] = /^\\*["']/.exec(value) ?? [];
  return `${name}${quote}${CENSORED}${quote}`;
}

/**
 * A copy as plain JSON values, censored. Of an error only type, message, code, stack and cause are shown: drivers
 * hang the command or the row that failed on it. Deep, long and circular structures are cut.
 */
export function censorValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return censorText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function' || value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (value instanceof Error) return censorError(value, depth);
  if (Array.isArray(value)) return censorList(value, depth);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([name, member]) => [String(name), censorMember(name, member, depth)]),
  );
}

function censorMember(name: unknown, member: unknown, depth: number): unknown {
  const isEmpty = member === null || member === undefined || typeof member === 'boolean';
  return isSecretName(String(name)) && !isEmpty ? CENSORED : censorValue(member, depth + 1);
}

/** Headers are also written as a list of names and values. */
function censorList(list: readonly unknown[], depth: number): readonly unknown[] {
  return list.slice(0, MAX_ENTRIES).map((element, index) => {
    const before = list[index - 1];
    const isNamed = typeof before === 'string' && typeof element === 'string' && isSecretName(before);
    return isNamed ? CENSORED : censorValue(element, depth + 1);
  });
}

function censorError(error: Error, depth: number): object {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return {
    type: error.name,
    message: censorText(error.message),
    ...(code === undefined ? {} : { code: censorValue(code, depth + 1) }),
    stack: censorText(error.stack ?? ''),
    ...(cause === undefined ? {} : { cause: censorValue(cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: censorValue(error.errors, depth + 1) } : {}),
  };
}
