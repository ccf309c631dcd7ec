/** Conditions on request headers: every configured name must be there with one of its values. contract/proxy.md section 2.5. */
import { compileHeaderRegex } from './path-regex.ts';

const REGEX_MARK = '~*';
/** The router sees no more than this many headers of a request. */
const MAX_HEADERS = 100;

export interface HeaderCondition {
  /** Lower case, as configured. */
  readonly name: string;
  /** The same with `-` for `_`: either spelling of the request's counts. */
  readonly hyphenatedName: string;
  /** Lower case. */
  readonly values: ReadonlySet<string>;
  /** Searched in the lower-cased value instead of comparing with `values`. */
  readonly regex: RegExp | null;
}

/** Null when there is nothing to check. Throws SyntaxError for a pattern that cannot run. */
export function compileHeaderConditions(
  headers: Readonly<Record<string, readonly string[]>> | null,
): readonly HeaderCondition[] | null {
  if (headers === null) return null;
  const conditions = Object.entries(headers).map(([name, values]) =>
    compileCondition(name.toLowerCase(), values),
  );
  return conditions.length === 0 ? null : conditions;
}

function compileCondition(name: string, values: readonly string[]): HeaderCondition {
  const only = values.length === 1 ? values[0] : undefined;
  return {
    name,
    hyphenatedName: name.replaceAll('_', '-'),
    values: new Set(values.map((value) => value.toLowerCase())),
    // Among several values the mark is plain text.
    regex: only?.startsWith(REGEX_MARK) ? compileHeaderRegex(only.slice(REGEX_MARK.length)) : null,
  };
}

/** `headers` is flat with lower-case names. */
export function meetsHeaderConditions(
  conditions: readonly HeaderCondition[],
  headers: readonly string[],
): boolean {
  for (const condition of conditions) {
    if (!meetsCondition(condition, headers)) return false;
  }
  return true;
}

function meetsCondition(condition: HeaderCondition, headers: readonly string[]): boolean {
  const end = Math.min(headers.length, MAX_HEADERS * 2);
  for (let at = 0; at < end; at += 2) {
    const name = headers[at];
    if (name !== condition.name && name !== condition.hyphenatedName) continue;
    const value = (headers[at + 1] as string).toLowerCase();
    if (condition.regex === null ? condition.values.has(value) : condition.regex.test(value)) return true;
  }
  return false;
}
