/** Targets: where the requests for an upstream go (contract/admin-api.md section 3.7). */
import { ID, TAGS } from './common-fields.ts';
import { defineEntity, type EntityDefinition, type EntityRow, type Specialisation } from './define-entity.ts';
import { normaliseTarget } from './target-address.ts';

const INVALID = 'Invalid target; not a valid hostname or ip address';
/** Unix seconds to the millisecond. */
const TIME = { type: 'number', timestamp: true, auto: true } as const;

export const targets: EntityDefinition = defineEntity({
  name: 'targets',
  adminName: 'targets',
  isNestedOnly: true,
  nestedNames: { upstream: 'targets' },
  nestedKeys: { upstream: 'target' },
  fields: {
    id: ID,
    created_at: TIME,
    updated_at: TIME,
    upstream: { type: 'foreign', reference: 'upstreams', required: true, on_delete: 'cascade' },
    target: { type: 'string', required: true },
    weight: { type: 'integer', between: [0, 65535], default: 100 },
    tags: TAGS,
  },
  checks: [],
  specialise: refuseUnreadable,
  normalise: withPort,
  shorthands: {},
  uniqueTogether: ['upstream', 'target'],
  hasTtl: false,
});

/** A target that cannot be read is reported before anything else is looked at. */
function refuseUnreadable({ target }: Readonly<Record<string, unknown>>): Specialisation {
  if (typeof target === 'string' && normaliseTarget(target) === undefined) {
    return { ok: false, errors: { target: INVALID } };
  }
  return { ok: true, definition: targets };
}

function withPort(row: EntityRow): EntityRow {
  const { target } = row;
  return typeof target === 'string' ? { ...row, target: normaliseTarget(target) ?? target } : row;
}
