/** The tags of all entities as one list, one row for each entity and tag (contract/admin-api.md section 2.5). */
import { sql } from 'kysely';
import { isUuid } from '../../sdk/schema/index.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import type { Database } from './database.ts';
import { tableOf } from './entity-columns.ts';
import type { PageQuery, TagRow } from './entity-store.ts';
import { decodeOffset, encodeOffset } from './page-offset.ts';
import { isStorableText, isVisible } from './select-entities.ts';

export interface TagPage {
  readonly rows: readonly TagRow[];
  readonly offset?: string;
}

/** Ordered by the id of the entity. */
export async function selectTags(
  kysely: Database['kysely'],
  entities: readonly EntityDefinition[],
  query: PageQuery & { readonly tag?: string },
): Promise<TagPage> {
  const after = query.offset === undefined ? undefined : decodeOffset(query.offset, 3, isTagKey);
  const tagged = entities.filter((entity) => Object.hasOwn(entity.fields, 'tags'));
  if (tagged.length === 0 || !isStorableText(query.tag ?? '')) return { rows: [] };
  const ofTag = query.tag === undefined ? sql`true` : sql`tag = ${query.tag}`;
  const isLater = after
    ? sql`(entity_id, entity_name, tag) > (${after[0]}::uuid, ${after[1]}::text, ${after[2]}::text)`
    : sql`true`;
  const { rows: found } = await sql<TagRow>`
    select entity_name, entity_id, tag
    from (${sql.join(
      tagged.map((entity) => tagsOf(entity, query.tag)),
      sql` union all `,
    )}) as entity_tags
    where ${ofTag} and ${isLater}
    order by entity_id, entity_name, tag
    limit ${query.size + 1}`.execute(kysely);
  const rows = found.slice(0, query.size);
  const last = rows.at(-1);
  return found.length > query.size && last
    ? { rows, offset: encodeOffset([last.entity_id, last.entity_name, last.tag]) }
    : { rows };
}

function isTagKey([id, ...rest]: readonly string[]): boolean {
  return isUuid(id) && rest.every(isStorableText);
}

/** The rows are narrowed before their tags are spread, so that the index on tags is used. */
function tagsOf(entity: EntityDefinition, tag: string | undefined) {
  const carriesTag = tag === undefined ? sql`tags is not null` : sql`tags @> array[${tag}]::text[]`;
  return sql`
    select ${entity.name}::text as entity_name, id as entity_id, unnest(tags) as tag
    from ${sql.table(tableOf(entity))} where ${carriesTag} and ${isVisible(entity)}`;
}
