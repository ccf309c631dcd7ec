/** Keys by which consumers sign tokens (contract/admin-api.md section 3.11, contract/plugins.md section 7). */
import { createPublicKey } from 'node:crypto';
import { SIGNATURE_ALGORITHMS } from '../../sdk/protocol/crypto.ts';
import { CREATED_AT, ID, TAGS } from './common-fields.ts';
import { defineEntity, type EntityRow, type RuleErrors } from './define-entity.ts';

export const jwtSecrets = defineEntity({
  name: 'jwt_secrets',
  adminName: 'jwts',
  nestedNames: { consumer: 'jwt' },
  endpointKey: 'key',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    consumer: { type: 'foreign', reference: 'consumers', required: true, on_delete: 'cascade' },
    key: { type: 'string', unique: true, auto: true },
    secret: { type: 'string', auto: true },
    rsa_public_key: { type: 'string' },
    algorithm: {
      type: 'string',
      default: 'HS256',
      one_of: SIGNATURE_ALGORITHMS,
    },
    tags: TAGS,
  },
  checks: [],
  rules: requirePublicKey,
  shorthands: {},
  hasTtl: false,
});

const NEEDS_PUBLIC_KEY = /^(?:(?:RS|PS)(?:256|384|512)|EdDSA)$/;

/** Texts: contract/admin-api.md section 3.11. */
function requirePublicKey({ algorithm, rsa_public_key: pem }: EntityRow): RuleErrors {
  if (typeof algorithm !== 'string' || !NEEDS_PUBLIC_KEY.test(algorithm)) return {};
  const isAbsent = pem === null || pem === undefined;
  // Of another type, or empty: the field itself says so.
  if (!isAbsent && (typeof pem !== 'string' || pem === '')) return {};
  if (!isAbsent && isPublicKey(pem as string)) return {};
  return {
    '@entity': ["failed conditional validation given value of field 'algorithm'"],
    rsa_public_key: isAbsent ? 'required field missing' : 'invalid key',
  };
}

function isPublicKey(pem: string): boolean {
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}
