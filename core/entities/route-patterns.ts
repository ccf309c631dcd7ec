/** Regular expressions of routes: stored only when the router can run them in linear time. */
import { isPlainRecord } from '../../sdk/schema/index.ts';
import { checkHeaderRegex, checkRoutePathRegex } from '../router/path-regex.ts';
import type { RuleErrors } from './define-entity.ts';

type Row = Readonly<Record<string, unknown>>;

/** Errors of `paths` that begin with `~` and of values of `headers` that begin with `~*`. */
export function checkRoutePatterns(route: Row): RuleErrors {
  const paths = checkList(route['paths'], '~/', (pattern) => checkRoutePathRegex(pattern.slice(1)));
  const headers = checkHeaders(route['headers']);
  return { ...(paths === undefined ? {} : { paths }), ...(headers === undefined ? {} : { headers }) };
}

function checkHeaders(headers: unknown): Record<string, unknown> | undefined {
  if (!isPlainRecord(headers)) return undefined;
  const errors = Object.entries(headers).flatMap(([name, values]) => {
    const error = checkList(values, '~*', (pattern) => checkHeaderRegex(pattern.slice(2)));
    return error === undefined ? [] : [[name, error] as const];
  });
  return errors.length === 0 ? undefined : Object.fromEntries(errors);
}

/** By position, null for good ones; undefined when all are good. */
function checkList(
  values: unknown,
  prefix: string,
  check: (pattern: string) => string | undefined,
): (string | null)[] | undefined {
  if (!Array.isArray(values)) return undefined;
  const errors = values.map((value) =>
    typeof value === 'string' && value.startsWith(prefix) ? (check(value) ?? null) : null,
  );
  const last = errors.findLastIndex((error) => error !== null);
  return last < 0 ? undefined : errors.slice(0, last + 1);
}
