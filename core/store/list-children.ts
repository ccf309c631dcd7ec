/** All rows that refer to one parent, however many pages they fill. */
import { isUuid } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { EntityStore } from './entity-store.ts';

const PAGE_SIZE = 1000;
/** Throws beyond this rather than cutting short what may be a list of what is denied. */
const MAX_CHILDREN = 10_000;

/** `field` is the foreign field. Empty for what could not be the id of anything. Errors: see EntityStore. */
export async function listChildren(
  store: EntityStore,
  entity: EntityDefinition,
  field: string,
  id: string,
): Promise<readonly EntityRow[]> {
  if (!isUuid(id)) return [];
  const rows: EntityRow[] = [];
  let offset: string | undefined;
  do {
    const page = await store.page(entity, {
      size: PAGE_SIZE,
      parent: { field, id },
      ...(offset !== undefined && { offset }),
    });
    rows.push(...page.rows);
    offset = page.offset;
    if (rows.length > MAX_CHILDREN) {
      throw new Error(`more than ${MAX_CHILDREN} rows of ${entity.name} with the same ${field}`);
    }
  } while (offset !== undefined);
  return rows;
}
