/** `kong.crypto`: hashes and signatures, computed by the host: ECMAScript alone has neither. */
import type { DigestAlgorithm, SignatureAlgorithm } from './protocol/crypto.ts';

/** What was signed, and the signature to be verified. */
export interface SignedText {
  /** Name of RFC 7518, or `EdDSA` for Ed25519 and Ed448. */
  readonly algorithm: SignatureAlgorithm;
  /** The secret of an HMAC (`HS…`), or a public key or certificate as PEM. Up to 16384 characters. */
  readonly key: string;
  /** Of an HMAC's secret: what its text stands for. Default `utf8`; `base64` takes both alphabets. */
  readonly keyEncoding?: 'utf8' | 'base64';
  /** What was signed, taken as UTF-8. Up to 65536 characters. */
  readonly data: string;
  /** In base64url or base64, padded or not. Signatures of ECDSA are r and s, one behind the other. */
  readonly signature: string;
}

/** Phases: access. The first two need the capability `crypto`, cost one host call, and reject without it. */
export interface Cryptography {
  /** Digest of `text` as UTF-8, up to 65536 characters, in lower-case hexadecimal. */
  digest(algorithm: DigestAlgorithm, text: string): Promise<string>;
  /**
   * Whether the signature is that of this key. False for anything that is no signature, and for a key that is none
   * or not one for this algorithm: a public key is never taken for the secret of an HMAC. Rejects with a RangeError's
   * message beyond the lengths given.
   */
  verify(signed: SignedText): Promise<boolean>;
  /** Compares two texts in a time that does not tell where they differ. */
  isEqual(a: string, b: string): boolean;
}
