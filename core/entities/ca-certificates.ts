/** Certificates of authorities, by which those of upstreams are judged (contract/admin-api.md section 3.8). */
import { createHash, type X509Certificate } from 'node:crypto';
import { countCertificates, isReference, readCertificate } from './certificate-text.ts';
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import { defineEntity, type EntityRow, type RuleErrors, type StoredForm } from './define-entity.ts';

const SEVERAL = 'please submit only one certificate at a time';
const EXPIRED = 'certificate expired, "Not After" time is in the past';
const NOT_A_CA = 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';

export const caCertificates = defineEntity({
  name: 'ca_certificates',
  adminName: 'ca_certificates',
  nestedNames: {},
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    cert: { type: 'string', required: true },
    cert_digest: { type: 'string', unique: true },
    tags: TAGS,
  },
  checks: [],
  rules: checkAuthority,
  toStored: withDigest,
  shorthands: {},
  hasTtl: false,
});

function checkAuthority({ cert }: EntityRow): RuleErrors {
  if (typeof cert !== 'string' || cert === '' || isReference(cert)) return {};
  const certificate = readCertificate(cert);
  if ('error' in certificate) return { cert: certificate.error };
  const text = judge(cert, certificate.value);
  return text === undefined ? {} : { '@entity': [text] };
}

function judge(pem: string, certificate: X509Certificate): string | undefined {
  if (countCertificates(pem) > 1) return SEVERAL;
  if (certificate.validToDate.getTime() < Date.now()) return EXPIRED;
  return certificate.ca ? undefined : NOT_A_CA;
}

function withDigest(row: EntityRow): StoredForm {
  const certificate = readCertificate(String(row['cert']));
  if ('error' in certificate) return { ok: false, errors: { cert: certificate.error } };
  const digest = createHash('sha256').update(certificate.value.raw).digest('hex');
  return { ok: true, row: { ...row, cert_digest: digest } };
}
