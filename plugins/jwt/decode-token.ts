/** The parts of a token. RFC 7519, in the compact form of RFC 7515. */
import { decodeBase64, isBase64, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '@tollgate/sdk';

type Members = Readonly<Record<string, unknown>>;

export interface Token {
  readonly header: Members;
  readonly claims: Members;
  readonly algorithm: SignatureAlgorithm;
  /** What was signed. */
  readonly signedText: string;
  /** In base64url; may be empty. */
  readonly signature: string;
}

/** The text says what is wrong with it, in the words of contract/plugins.md section 7. */
export function decodeToken(token: string): Token | string {
  const firstDot = token.indexOf('.');
  const secondDot = firstDot < 0 ? -1 : token.indexOf('.', firstDot + 1);
  if (secondDot < 0) return 'invalid JSON';
  const header = decodeJson(token.slice(0, firstDot));
  const claims = decodeJson(token.slice(firstDot + 1, secondDot));
  if (header === undefined || claims === undefined) return 'invalid JSON';
  const algorithm = isMembers(header) && Object.hasOwn(header, 'alg') ? header['alg'] : undefined;
  if (!isMembers(header) || !isAlgorithm(algorithm)) return 'invalid alg';
  if (!isMembers(claims)) return 'invalid claims';
  const signature = token.slice(secondDot + 1);
  if (!isBase64(signature)) return 'invalid signature';
  return { header, claims, algorithm, signedText: token.slice(0, secondDot), signature };
}

/** Undefined for what is no JSON. */
function decodeJson(encoded: string): unknown {
  const text = decodeBase64(encoded);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `none` is not among them, nor anything else that is no signature. */
function isAlgorithm(value: unknown): value is SignatureAlgorithm {
  return (SIGNATURE_ALGORITHMS as readonly unknown[]).includes(value);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
