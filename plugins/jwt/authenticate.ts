/** From the token of a request to the consumer who signed it, or why there is none. Contract/plugins.md section 7. */
import {
  type AccessKong,
  type Consumer,
  type Credential,
  decodeBase64,
  type InferConfig,
  isBase64,
} from '@tollgate/sdk';
import { checkClaims } from './check-claims.ts';
import { decodeToken, type Token } from './decode-token.ts';
import { findTokens } from './find-tokens.ts';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

interface JwtSecret extends Credential {
  readonly consumer: { readonly id: string };
  readonly key: string;
  readonly secret: string | null;
  readonly rsa_public_key: string | null;
  readonly algorithm: string | null;
}

export type Authentication =
  | {
      readonly kind: 'known';
      readonly consumer: Consumer;
      readonly credential: JwtSecret;
      readonly token: string;
    }
  /** There was no token. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly body: Readonly<Record<string, string>> };

export async function authenticate(kong: AccessKong, config: Config): Promise<Authentication> {
  const [text, ...others] = findTokens(kong, config);
  if (text === undefined) return { kind: 'missing' };
  if (others.length > 0) return refused('Multiple tokens provided');
  const token = decodeToken(text);
  if (typeof token === 'string') return refused(`Bad token; ${token}`);

  const name = config.key_claim_name;
  const key = findClaim(token.claims, name) ?? findClaim(token.header, name);
  if (key === undefined) return refused(`No mandatory '${name}' in claims`);
  if (typeof key !== 'string' || key === '') return refused(`Invalid '${name}' in claims`);
  const credential = await kong.entities.find<JwtSecret>('jwt_secrets', 'key', key);
  if (credential === undefined) return refused(`No credentials found for given '${name}'`);
  // The credential decides, never the token: a public key is no secret of an HMAC because a token says so.
  if (token.algorithm !== (credential.algorithm ?? 'HS256')) return refused('Invalid algorithm');

  const problem = await checkSignature(kong, config, token, credential);
  if (problem !== undefined) return refused(problem);
  const errors = checkClaims(token.claims, config, Math.floor(Date.now() / 1000));
  if (errors !== undefined) return { kind: 'refused', body: errors };
  const consumer = await kong.client.loadConsumer(credential.consumer.id);
  if (consumer === undefined) return refused(`Could not find consumer for '${name}=${key}'`);
  return { kind: 'known', consumer, credential, token: text };
}

async function checkSignature(
  kong: AccessKong,
  config: Config,
  { algorithm, signedText, signature }: Token,
  credential: JwtSecret,
): Promise<string | undefined> {
  const isHmac = algorithm.startsWith('HS');
  const stored = isHmac ? credential.secret : credential.rsa_public_key;
  if (stored === null || (config.secret_is_base64 && !isBase64(stored))) return 'Invalid key/secret';
  // The secret of an HMAC may be any bytes, which the host decodes; a public key is a text.
  const key = config.secret_is_base64 && !isHmac ? decodeBase64(stored) : stored;
  if (key === undefined) return 'Invalid key/secret';
  const keyEncoding = config.secret_is_base64 && isHmac ? 'base64' : 'utf8';
  const isGenuine = await kong.crypto.verify({ algorithm, key, keyEncoding, data: signedText, signature });
  return isGenuine ? undefined : 'Invalid signature';
}

/** Null and false are no claims. */
function findClaim(members: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  return value === null || value === false ? undefined : value;
}

function refused(message: string): Authentication {
  return { kind: 'refused', body: { message } };
}
