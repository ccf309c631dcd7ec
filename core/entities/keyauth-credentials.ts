/** API keys of consumers (contract/admin-api.md section 3.11, contract/plugins.md section 1). */
import { CREATED_AT, ID, TAGS } from './common-fields.ts';
import { defineEntity } from './define-entity.ts';

export const keyauthCredentials = defineEntity({
  name: 'keyauth_credentials',
  adminName: 'key-auths',
  nestedNames: { consumer: 'key-auth' },
  endpointKey: 'key',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    consumer: { type: 'foreign', reference: 'consumers', required: true, on_delete: 'cascade' },
    key: { type: 'string', unique: true, auto: true },
    tags: TAGS,
  },
  checks: [],
  shorthands: {},
  hasTtl: true,
});
