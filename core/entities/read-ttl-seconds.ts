/** The `ttl` of a request to write an entity that may expire. It is an option of the write, not a field of the row. */
import type { PlainRecord } from '../../sdk/schema/index.ts';
import { EntityError } from '../store/entity-error.ts';
import type { EntityDefinition } from './define-entity.ts';

const MAX_TTL_SECONDS = 100_000_000;

/**
 * Seconds until the row expires; 0 means never, undefined that nothing was said. An entity without ttl has nothing
 * to say about it: the member is an unknown field there. Throws EntityError 11 (contract/admin-api.md section 3.11).
 */
export function readTtlSeconds(entity: EntityDefinition, input: PlainRecord): number | undefined {
  const ttl = entity.hasTtl ? (input['ttl'] ?? undefined) : undefined;
  if (ttl === undefined) return undefined;
  if (Number.isInteger(ttl) && Number(ttl) >= 0 && Number(ttl) <= MAX_TTL_SECONDS) return Number(ttl);
  const reason = `must be an integer between 0 and ${MAX_TTL_SECONDS}`;
  throw new EntityError(11, `invalid option (ttl: ${reason})`, { options: { ttl: reason } });
}
