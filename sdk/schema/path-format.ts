/** The rules of paths: of a service, which is sent as it is, and of a route, which is compared with normalised requests. */

const RFC_3986_ONLY = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;
const RESERVED = "!*'();:@&=+$,/?%#[]";

/** Returns the violated rule's text, or undefined. Source: contract/admin-api.md section 3. */
export function checkPath(path: string): string | undefined {
  if (!path.startsWith('/')) return 'should start with: /';
  if (path.includes('//')) return 'must not have empty segments';
  if (!RFC_3986_ONLY.test(path)) {
    return `invalid path: '${path}' (characters outside of the reserved list of RFC 3986 found)`;
  }
  return checkEscapes(path);
}

/** A prefix in normal form, or `~` and a regular expression. Source: contract/admin-api.md section 3.2. */
export function checkRoutePath(path: string): string | undefined {
  const isRegex = path.startsWith('~/');
  if (!isRegex && !path.startsWith('/')) return 'should start with: / (fixed path) or ~/ (regex path)';
  if (path.includes('//')) return 'must not have empty segments';
  if (isRegex) return checkEscapes(path) ?? checkRegex(path.slice(1));
  const badEscape = checkEscapes(path);
  if (badEscape !== undefined) return badEscape;
  const normal = normalisePrefix(path);
  return normal === path ? undefined : `non-normalized path, consider use '${normal}' instead`;
}

function checkEscapes(path: string): string | undefined {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/su.exec(path);
  return bad ? `invalid url-encoded value: '${bad[0]}'` : undefined;
}

/** The router's engine is linear-time, so look-around and back-references are refused as well as bad syntax. */
function checkRegex(source: string): string | undefined {
  const refuse = (reason: string) => `invalid regex: '${source}' (PCRE returned: ${reason})`;
  const bare = source.replace(/\\(?![1-9k])./gs, '').replace(/\[(?:\\.|[^\]\\])*\]/gs, '');
  if (/\(\?<?[=!]/.test(bare)) return refuse('look-around is not supported');
  if (/\\[1-9k]/.test(bare)) return refuse('back-references are not supported');
  try {
    new RegExp(source.replaceAll('(?P<', '(?<'));
    return undefined;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The form requests are brought to before they are matched. Source: contract/proxy.md section 2.3. */
function normalisePrefix(path: string): string {
  return removeDotSegments(decodeUnreserved(path));
}

function decodeUnreserved(path: string): string {
  return path.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => decodeRun(run));
}

/** Decodes a run of escapes as UTF-8; bytes that are reserved, or no UTF-8, stay escaped with upper-case digits. */
function decodeRun(run: string): string {
  const upper = run.toUpperCase();
  return upper.replace(/(?:%[0-7][0-9A-F])|(?:%[89A-F][0-9A-F])+/g, (part) => {
    if (part.length === 3 && RESERVED.includes(String.fromCharCode(Number.parseInt(part.slice(1), 16))))
      return part;
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // Not UTF-8: no request can be compared with it either.
    }
  });
}

function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment === '.' || segment === '..') {
      if (isLast) kept.push('');
    } else if (segment !== '' || isLast) {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}
