/** Groups of consumers (contract/admin-api.md section 3.11, contract/plugins.md section 5). */
import { CREATED_AT, ID, TAGS } from './common-fields.ts';
import { defineEntity } from './define-entity.ts';

export const acls = defineEntity({
  name: 'acls',
  adminName: 'acls',
  nestedNames: { consumer: 'acls' },
  nestedKeys: { consumer: 'group' },
  fields: {
    id: ID,
    created_at: CREATED_AT,
    consumer: { type: 'foreign', reference: 'consumers', required: true, on_delete: 'cascade' },
    group: { type: 'string', required: true },
    tags: TAGS,
  },
  checks: [],
  shorthands: {},
  uniqueTogether: ['consumer', 'group'],
  listedBy: ['consumer'],
  hasTtl: false,
});
