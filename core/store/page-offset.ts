/** The opaque `offset` of a list: unpadded base64 of the JSON array of the last row's key (contract/admin-api.md section 2.2). */
import { EntityError } from './entity-error.ts';

export function encodeOffset(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64').replace(/=+$/, '');
}

/** The key behind an offset. Throws EntityError 7 when it is not an array of `length` texts that `isKey` accepts. */
export function decodeOffset(
  offset: string,
  length: number,
  isKey: (key: readonly string[]) => boolean,
): readonly string[] {
  const bare = offset.replace(/={1,2}$/, '');
  if (bare === '' || !/^[A-Za-z0-9+/]+$/.test(bare) || bare.length % 4 === 1) throw refuse(offset, 'base64');
  const key = parseJson(Buffer.from(bare, 'base64').toString('utf8'));
  const isList = Array.isArray(key) && key.length === length && key.every((part) => typeof part === 'string');
  if (!isList || !isKey(key)) throw refuse(offset, 'json');
  return key;
}

function refuse(offset: string, encoding: string): EntityError {
  return new EntityError(7, `'${offset}' is not a valid offset: bad ${encoding} encoding`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The caller refuses whatever is not a key.
  }
}
