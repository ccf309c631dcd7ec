/** Where a client may put its key, and what counts as one. */
import type { AccessKong, DecodedBody, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

export type KeySearch =
  | {
      readonly kind: 'found';
      readonly name: string;
      readonly key: string;
      readonly body: DecodedBody | undefined;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'repeated' };

/**
 * Looks for the first configured name that yields a value: header, else query, else body. A text ends the search,
 * even an empty or a wrong one; a repeated value is refused; anything else is passed over.
 */
export async function findKey(kong: AccessKong, config: Config): Promise<KeySearch> {
  const body = config.key_in_body ? await kong.request.getBody() : undefined;
  for (const name of config.key_names) {
    const value = readValue(kong, config, name, body);
    if (typeof value === 'string') {
      return value === '' ? { kind: 'missing' } : { kind: 'found', name, key: value, body };
    }
    if (Array.isArray(value)) return { kind: 'repeated' };
  }
  return { kind: 'missing' };
}

function readValue(kong: AccessKong, config: Config, name: string, body: DecodedBody | undefined): unknown {
  if (config.key_in_header) {
    const values = kong.request.getHeaderValues(name);
    if (values.length > 0) return values.length > 1 ? values : values[0];
  }
  if (config.key_in_query) {
    const argument = readQueryArg(kong, name);
    if (argument !== undefined) return argument;
  }
  const fields = body?.fields;
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function readQueryArg(kong: AccessKong, name: string): unknown {
  return kong.request.getRawQuery() === '' ? undefined : kong.request.getQuery(1000)[name];
}
