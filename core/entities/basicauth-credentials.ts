/** Usernames and passwords of consumers (contract/admin-api.md section 3.11, contract/plugins.md section 6). */
import { createHash } from 'node:crypto';
import { CREATED_AT, ID, TAGS } from './common-fields.ts';
import { defineEntity, type EntityRow, type StoredForm } from './define-entity.ts';

export const basicauthCredentials = defineEntity({
  name: 'basicauth_credentials',
  adminName: 'basic-auths',
  nestedNames: { consumer: 'basic-auth' },
  endpointKey: 'username',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    consumer: { type: 'foreign', reference: 'consumers', required: true, on_delete: 'cascade' },
    username: { type: 'string', required: true, unique: true },
    password: { type: 'string', required: true },
    tags: TAGS,
  },
  checks: [],
  shorthands: {},
  toStored: hashPassword,
  hasTtl: false,
});

const UNHASHABLE = "all or none of these fields must be set: 'password', 'consumer.id'";

/** What is stored already is a hash, which is salted with its consumer and so cannot pass to another one. */
function hashPassword(
  row: EntityRow,
  given: Readonly<Record<string, unknown>>,
  previous: EntityRow | undefined,
): StoredForm {
  const consumerId = idOf(row['consumer']);
  if ((given['password'] ?? null) === null) {
    const isMoved = previous !== undefined && idOf(previous['consumer']) !== consumerId;
    return isMoved ? { ok: false, errors: { '@entity': [UNHASHABLE] } } : { ok: true, row };
  }
  // The hash that Kong stores: credentials exported from there go on working.
  const password = createHash('sha1').update(`${row['password']}${consumerId}`).digest('hex');
  return { ok: true, row: { ...row, password } };
}

function idOf(reference: unknown): string {
  return (reference as { readonly id: string }).id;
}
