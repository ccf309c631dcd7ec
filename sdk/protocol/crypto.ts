/** Cryptography that the host does for guests: the names of algorithms, and what the calls carry. */

export const DIGEST_ALGORITHMS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
/** Hashes that `kong.crypto.digest` computes. */
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Names of RFC 7518 and RFC 8037. `none` is no signature. */
export const SIGNATURE_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const;
/** Algorithms that `kong.crypto.verify` knows. */
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

export interface DigestArgument {
  readonly algorithm: DigestAlgorithm;
  readonly text: string;
}

export interface VerifyArgument {
  readonly algorithm: SignatureAlgorithm;
  readonly key: string;
  readonly keyEncoding: 'utf8' | 'base64';
  readonly data: string;
  readonly signature: string;
}

const MAX_DATA_LENGTH = 65_536;
const MAX_KEY_LENGTH = 16_384;

/** Throws TypeError on anything else and RangeError on what is too long: a guest may write what it likes. */
export function checkDigestArgument(argument: Readonly<Record<string, unknown>>): DigestArgument {
  const { algorithm, text } = argument;
  if (!isOneOf(DIGEST_ALGORITHMS, algorithm))
    throw new TypeError(`there is no digest '${String(algorithm)}'`);
  return { algorithm, text: checkText('text', text, MAX_DATA_LENGTH) };
}

/** Throws as `checkDigestArgument`. */
export function checkVerifyArgument(argument: Readonly<Record<string, unknown>>): VerifyArgument {
  const { algorithm, key, keyEncoding, data, signature } = argument;
  if (!isOneOf(SIGNATURE_ALGORITHMS, algorithm)) {
    throw new TypeError(`there is no signature algorithm '${String(algorithm)}'`);
  }
  if (keyEncoding !== 'utf8' && keyEncoding !== 'base64')
    throw new TypeError('keyEncoding is utf8 or base64');
  return {
    algorithm,
    keyEncoding,
    key: checkText('key', key, MAX_KEY_LENGTH),
    data: checkText('data', data, MAX_DATA_LENGTH),
    signature: checkText('signature', signature, MAX_DATA_LENGTH),
  };
}

function isOneOf<const Names extends readonly string[]>(
  names: Names,
  value: unknown,
): value is Names[number] {
  return names.includes(value as string);
}

function checkText(name: string, value: unknown, maxLength: number): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a text`);
  if (value.length > maxLength) throw new RangeError(`${name} is longer than ${maxLength} characters`);
  return value;
}
