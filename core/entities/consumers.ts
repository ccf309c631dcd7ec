/** Consumers: who calls the APIs (contract/admin-api.md section 3.3). */
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import { defineEntity } from './define-entity.ts';

export const consumers = defineEntity({
  name: 'consumers',
  adminName: 'consumers',
  nestedNames: {},
  endpointKey: 'username',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    username: { type: 'string', unique: true },
    custom_id: { type: 'string', unique: true },
    tags: TAGS,
  },
  checks: [{ kind: 'at_least_one_of', fields: ['custom_id', 'username'] }],
  shorthands: {},
  hasTtl: false,
});
