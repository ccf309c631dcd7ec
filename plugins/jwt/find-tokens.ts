/** Where a client may put its token. All places are looked at: two different tokens in one request are refused. */
import type { AccessKong, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';

type Places = Pick<InferConfig<typeof schema>, 'uri_param_names' | 'cookie_names' | 'header_names'>;

const MAX_ARGUMENTS = 1000;
const BEARER = /^\s*[Bb]earer\s+(.+)$/;

/** Every token once, however often it was sent. */
export function findTokens(kong: AccessKong, places: Places): ReadonlySet<string> {
  const tokens = new Set<string>();
  const add = (token: string | undefined) => {
    if (token !== undefined && token !== '') tokens.add(token);
  };
  for (const argument of readArguments(kong, places)) if (argument !== true) add(argument);
  if (places.cookie_names.length > 0) for (const cookie of readCookies(kong, places)) add(cookie);
  for (const name of places.header_names) {
    for (const value of kong.request.getHeaderValues(name)) add(BEARER.exec(value)?.[1]);
  }
  return tokens;
}

function readArguments(kong: AccessKong, { uri_param_names: names }: Places): readonly (string | true)[] {
  if (names.length === 0 || kong.request.getRawQuery() === '') return [];
  const query = kong.request.getQuery(MAX_ARGUMENTS);
  return names.flatMap((name) => (Object.hasOwn(query, name) ? (query[name] ?? []) : []));
}

/** Names of cookies are compared without case, as Kong does. */
function readCookies(kong: AccessKong, { cookie_names: names }: Places): readonly string[] {
  const wanted = names.map((name) => name.toLowerCase());
  return kong.request.getHeaderValues('cookie').flatMap((line) =>
    line.split(';').flatMap((pair) => {
      const equals = pair.indexOf('=');
      const isWanted = equals > 0 && wanted.includes(pair.slice(0, equals).trim().toLowerCase());
      return isWanted ? [pair.slice(equals + 1).trim()] : [];
    }),
  );
}
