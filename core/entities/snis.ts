/** Server names of TLS clients, and the certificate each of them gets (contract/admin-api.md section 3.8). */
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import { defineEntity } from './define-entity.ts';

export const snis = defineEntity({
  name: 'snis',
  adminName: 'snis',
  nestedNames: { certificate: 'snis' },
  endpointKey: 'name',
  fields: {
    id: ID,
    name: { type: 'string', required: true, unique: true, format: 'sni' },
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    tags: TAGS,
    certificate: { type: 'foreign', reference: 'certificates', required: true, on_delete: 'cascade' },
  },
  checks: [],
  shorthands: {},
  hasTtl: false,
});
