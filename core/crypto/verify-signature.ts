/**
 * Verifies signatures by the algorithms of JSON Web Tokens (RFC 7518, RFC 8037). A key serves only the algorithms it
 * is made for, so that a public key cannot be taken for a secret, nor one curve for another.
 */
import { constants, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { SignatureAlgorithm, VerifyArgument } from '../../sdk/protocol/crypto.ts';

interface PublicKeyAlgorithm {
  /** Undefined where the key itself decides. */
  readonly hash: string | undefined;
  readonly accepts: (key: KeyObject) => boolean;
  readonly options: {
    readonly padding?: number;
    readonly saltLength?: number;
    readonly dsaEncoding?: 'ieee-p1363';
  };
}

const isRsa = (key: KeyObject): boolean => key.asymmetricKeyType === 'rsa';
const isCurve = (name: string) => (key: KeyObject) =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === name;

const pkcs1 = (hash: string): PublicKeyAlgorithm => ({
  hash,
  accepts: isRsa,
  options: { padding: constants.RSA_PKCS1_PADDING },
});
const pss = (hash: string): PublicKeyAlgorithm => ({
  hash,
  accepts: (key) => isRsa(key) || key.asymmetricKeyType === 'rsa-pss',
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
});
const ecdsa = (hash: string, curve: string): PublicKeyAlgorithm => ({
  hash,
  accepts: isCurve(curve),
  options: { dsaEncoding: 'ieee-p1363' },
});

const HMAC: Readonly<Partial<Record<SignatureAlgorithm, string>>> = {
  HS256: 'sha256',
  HS384: 'sha384',
  HS512: 'sha512',
};

const PUBLIC_KEY: Readonly<Partial<Record<SignatureAlgorithm, PublicKeyAlgorithm>>> = {
  RS256: pkcs1('sha256'),
  RS384: pkcs1('sha384'),
  RS512: pkcs1('sha512'),
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  ES256: ecdsa('sha256', 'prime256v1'),
  ES384: ecdsa('sha384', 'secp384r1'),
  ES512: ecdsa('sha512', 'secp521r1'),
  EdDSA: {
    hash: undefined,
    accepts: ({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448',
    options: {},
  },
};

/** An RSA key of 16384 bits, the longest there are, signs with 2048 bytes. */
const MAX_SIGNATURE_LENGTH = 4096;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
/** Reading a key takes longer than verifying with it, and the same few come again and again. */
const MAX_KNOWN_KEYS = 1000;
const knownKeys = new Map<string, KeyObject | null>();

/**
 * False for a wrong signature, for text that is no base64 and for a key that does not fit the algorithm. What takes
 * more than a few microseconds is done by another thread: then the answer is a promise.
 */
export function verifySignature(signed: VerifyArgument): boolean | Promise<boolean> {
  if (signed.signature.length > MAX_SIGNATURE_LENGTH || !BASE64.test(signed.signature)) return false;
  // Node takes both alphabets for base64.
  const signature = Buffer.from(signed.signature, 'base64');
  const hmac = HMAC[signed.algorithm];
  if (hmac !== undefined) return verifyHmac(hmac, signed, signature);
  const algorithm = PUBLIC_KEY[signed.algorithm];
  const key = readPublicKey(signed.key);
  if (algorithm === undefined || key === null || !algorithm.accepts(key)) return false;
  return new Promise((resolve) => {
    const data = Buffer.from(signed.data, 'utf8');
    // An error says that these bytes are no signature at all.
    verify(algorithm.hash, data, { key, ...algorithm.options }, signature, (error, isValid) =>
      resolve(error === null && isValid),
    );
  });
}

function verifyHmac(hash: string, { key, keyEncoding, data }: VerifyArgument, signature: Buffer): boolean {
  if (keyEncoding === 'base64' && !BASE64.test(key)) return false;
  const expected = createHmac(hash, Buffer.from(key, keyEncoding)).update(data, 'utf8').digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

/** Null for what is no key. */
function readPublicKey(pem: string): KeyObject | null {
  let key = knownKeys.get(pem);
  if (key === undefined) {
    try {
      key = createPublicKey(pem);
    } catch {
      key = null;
    }
    if (knownKeys.size >= MAX_KNOWN_KEYS) knownKeys.clear();
    knownKeys.set(pem, key);
  }
  return key;
}
