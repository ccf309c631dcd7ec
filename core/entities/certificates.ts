/** Certificates with their keys, for TLS listeners and as client certificates (contract/admin-api.md section 3.8). */
import type { FieldDefinition } from '../../sdk/schema/fields.ts';
import { isReference, readCertificate, readPrivateKey } from './certificate-text.ts';
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import { defineEntity, type EntityRow, type RuleErrors } from './define-entity.ts';

const CERTIFICATE = { type: 'string', referenceable: true } as const satisfies FieldDefinition;
const KEY = { type: 'string', referenceable: true, encrypted: true } as const satisfies FieldDefinition;

const SAME_TYPE =
  'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type';

export const certificates = defineEntity({
  name: 'certificates',
  adminName: 'certificates',
  nestedNames: {},
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    cert: { ...CERTIFICATE, required: true },
    key: { ...KEY, required: true },
    cert_alt: CERTIFICATE,
    key_alt: KEY,
    tags: TAGS,
  },
  checks: [{ kind: 'mutually_required', fields: ['cert_alt', 'key_alt'] }],
  rules: checkPairs,
  shorthands: {},
  hasTtl: false,
});

function checkPairs(row: EntityRow): RuleErrors {
  const errors: Record<string, unknown> = {};
  const texts: string[] = [];
  const type = checkPair(row, 'cert', 'key', 'certificate does not match key', errors, texts);
  const mismatch = 'alternative certificate does not match key';
  const alternativeType = checkPair(row, 'cert_alt', 'key_alt', mismatch, errors, texts);
  if (type !== undefined && type === alternativeType) texts.push(SAME_TYPE);
  return texts.length === 0 ? errors : { ...errors, '@entity': texts };
}

/** The type of the certificate's key, where it can be read. */
function checkPair(
  row: EntityRow,
  certificateField: string,
  keyField: string,
  mismatch: string,
  errors: Record<string, unknown>,
  texts: string[],
): string | undefined {
  const certificate = readField(row[certificateField], readCertificate);
  const key = readField(row[keyField], readPrivateKey);
  if (certificate !== undefined && 'error' in certificate) errors[certificateField] = certificate.error;
  if (key !== undefined && 'error' in key) errors[keyField] = key.error;
  if (certificate === undefined || 'error' in certificate) return undefined;
  if (key !== undefined && 'value' in key && !certificate.value.checkPrivateKey(key.value)) {
    texts.push(mismatch);
  }
  return certificate.value.publicKey.asymmetricKeyType;
}

/** Undefined where there is nothing to read. */
function readField<Result>(value: unknown, read: (pem: string) => Result): Result | undefined {
  return typeof value === 'string' && value !== '' && !isReference(value) ? read(value) : undefined;
}
