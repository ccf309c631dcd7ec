/** Where a client may put its key, and what counts as one. */
import type { AccessKong, DecodedBody, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';

export type KeySearch =
  /** The key may be empty: that ends the search, too, and its name is hidden like any other. */
  | { readonly kind: 'found'; readonly name: string; readonly key: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'repeated' };

const MISSING: KeySearch = { kind: 'missing' };
const REPEATED: KeySearch = { kind: 'repeated' };
const MAX_ARGUMENTS = 1000;

/**
 * Looks for the first configured name that yields a value: header, else query, else `body`. A text ends the search,
 * even an empty or a wrong one; a repeated value is refused; anything else is passed over.
 */
export function findKey(
  kong: AccessKong,
  config: InferConfig<typeof schema>,
  body: DecodedBody | undefined,
): KeySearch {
  for (const name of config.key_names) {
    const value = readValue(kong, config, name, body);
    if (typeof value === 'string') return { kind: 'found', name, key: value };
    if (Array.isArray(value)) return REPEATED;
  }
  return MISSING;
}

function readValue(
  kong: AccessKong,
  config: InferConfig<typeof schema>,
  name: string,
  body: DecodedBody | undefined,
): unknown {
  if (config.key_in_header) {
    const values = kong.request.getHeaderValues(name);
    if (values.length > 0) return values.length > 1 ? values : values[0];
  }
  if (config.key_in_query && kong.request.getRawQuery() !== '') {
    const argument = kong.request.getQuery(MAX_ARGUMENTS)[name];
    if (argument !== undefined) return argument;
  }
  const fields = body?.fields;
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
