/**
 * The path a request has at its upstream: service path and request path joined the way a route wants it, then
 * percent-encoded. Whatever does not depend on the request is worked out once. Source: contract/proxy.md section 3.
 */

export interface UpstreamPathRule {
  /** Null stands for `/`. */
  readonly servicePath: string | null;
  readonly stripPath: boolean;
  readonly pathHandling: 'v0' | 'v1';
  /** False when the route has no `paths`: then only the first `/` of the request path counts as consumed. */
  readonly hasPaths: boolean;
}

/** (normalised path, part of it the route consumed) → encoded path, without query. */
export type BuildUpstreamPath = (path: string, matchedPath: string) => string;

/** Never throws. The query is for the caller to append as received. */
export function compileUpstreamPath(rule: UpstreamPathRule): BuildUpstreamPath {
  const join = chooseJoin(rule);
  return (path, matchedPath) => encodePath(join(path, matchedPath));
}

function chooseJoin({ servicePath, stripPath, pathHandling, hasPaths }: UpstreamPathRule): BuildUpstreamPath {
  const base = servicePath || '/';
  const consumed = (matchedPath: string): number => (hasPaths ? matchedPath.length : 1);
  if (pathHandling === 'v1') {
    if (!stripPath) return (path) => base + path.slice(1);
    return (path, matchedPath) => concatenate(base, cleanRemainder(path.slice(consumed(matchedPath))));
  }
  if (!stripPath) {
    if (base === '/') return (path) => path;
    if (base.endsWith('/')) return (path) => base + path.slice(1);
    return (path) => (path === '/' ? base : base + path);
  }
  const joinRemainder = base.endsWith('/') ? joinToSlash(base) : joinToName(base);
  return (path, matchedPath) => joinRemainder(path, cleanRemainder(path.slice(consumed(matchedPath))));
}

type JoinRemainder = (path: string, remainder: string) => string;

/** v0, service path ending in `/`. */
function joinToSlash(base: string): JoinRemainder {
  const withoutSlash = base.slice(0, -1);
  return (path, remainder) => {
    if (remainder.startsWith('/')) return withoutSlash + remainder;
    if (remainder !== '') return base + remainder;
    return base === '/' || path.endsWith('/') ? base : withoutSlash;
  };
}

/** v0, service path not ending in `/`. */
function joinToName(base: string): JoinRemainder {
  const withSlash = `${base}/`;
  return (path, remainder) => {
    if (remainder.startsWith('/')) return base + remainder;
    if (remainder !== '') return withSlash + remainder;
    return path.length > 1 && path.endsWith('/') ? withSlash : base;
  };
}

/** v1: plain concatenation, one of two meeting slashes dropped. */
function concatenate(base: string, remainder: string): string {
  return base.endsWith('/') && remainder.startsWith('/') ? base + remainder.slice(1) : base + remainder;
}

/** A prefix may end within a segment, so that what is left looks like a dot segment: `/route./x` on `/route`. */
function cleanRemainder(remainder: string): string {
  return remainder.startsWith('.') ? remainder.replace(LEADING_DOT_SEGMENT, '') : remainder;
}

/** As any server may read one: core/router/normalize-path.ts. */
const LEADING_DOT_SEGMENT = /^\.\.?(?:;[^/]*)?(?:\/|%2F|\\|$)/;

const NEEDS_ENCODING = /[^A-Za-z0-9\-_.~!#$&'()*+,/:;=?@[\]%]/;
const TO_ENCODE = /[^A-Za-z0-9\-_.~!#$&'()*+,/:;=?@[\]%]/gu;

/**
 * Percent-encodes everything but the characters a path may show, upper-case hex; `%` is taken as part of an escape.
 * Raw bytes that `normalizePath` keeps as lone surrogates become `%XX` of that byte. The result is ASCII.
 */
export function encodePath(path: string): string {
  return NEEDS_ENCODING.test(path) ? path.replace(TO_ENCODE, encodeCharacter) : path;
}

function encodeCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  const bytes = code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : Buffer.from(character, 'utf8');
  let encoded = '';
  for (const byte of bytes) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}
