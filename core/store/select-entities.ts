/** Reading rows of any entity: what is selected, what is visible, and how a list is cut into pages. */
import { type Expression, type SqlBool, sql } from 'kysely';
import { isUuid } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { Database, Tables } from './database.ts';
import { DOCUMENT_KEYS_TABLE, documentKey, parentColumn } from './document-columns.ts';
import { columnOf, EXPIRY_COLUMN, fromColumns, listReadColumns, tableOf } from './entity-columns.ts';
import type { Page, PageQuery } from './entity-store.ts';
import { decodeOffset, encodeOffset } from './page-offset.ts';

type Transaction = Database['kysely'];

/** Columns of a row, and the seconds it has left where rows may expire. */
export function selectionOf(entity: EntityDefinition) {
  const columns = listReadColumns(entity).map((column) => sql.ref(column).as(column));
  if (!entity.hasTtl) return columns;
  const secondsLeft = sql`ceil(extract(epoch from ${sql.ref(EXPIRY_COLUMN)} - now()))::integer`;
  return [...columns, secondsLeft.as('ttl')];
}

/** True of rows of the entity that have not expired. */
export function isVisible(entity: EntityDefinition): Expression<SqlBool> {
  const expiry = sql.ref(EXPIRY_COLUMN);
  return entity.hasTtl
    ? sql<SqlBool>`(${isOf(entity)} and (${expiry} is null or ${expiry} > now()))`
    : isOf(entity);
}

/** True of rows of the entity, in a table that it may share. */
export function isOf(entity: EntityDefinition): Expression<SqlBool> {
  if (!entity.published) return sql<SqlBool>`true`;
  return sql<SqlBool>`${sql.ref(`${tableOf(entity)}.entity`)} = ${sql.lit(entity.name)}`;
}

/** True of rows whose `id`, or else whose unique text in this column, is one of these. */
function hasOneOf(entity: EntityDefinition, column: string, values: readonly string[]): Expression<SqlBool> {
  if (!entity.published || column === 'id') return sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`;
  const keys = values.map((value) => documentKey(column, value));
  return sql<SqlBool>`id in (select id from ${sql.table(DOCUMENT_KEYS_TABLE)} as taken
    where taken.entity = ${sql.lit(entity.name)} and taken.key in (${sql.join(keys)}))`;
}

export async function selectByColumn(
  kysely: Transaction,
  entity: EntityDefinition,
  column: string,
  value: string,
): Promise<EntityRow | undefined> {
  const found = await selectVisible(kysely, entity)
    .where(hasOneOf(entity, column, [value]))
    .executeTakeFirst();
  return found && fromColumns(entity, found);
}

export async function selectAll(
  kysely: Transaction,
  entity: EntityDefinition,
): Promise<readonly EntityRow[]> {
  const found = await selectVisible(kysely, entity).orderBy('id').execute();
  return found.map((columns) => fromColumns(entity, columns));
}

/** Rows whose column holds one of the values, in no order. Values that could not be stored are no mistake. */
export async function selectByValues(
  kysely: Transaction,
  entity: EntityDefinition,
  column: string,
  values: readonly string[],
): Promise<readonly EntityRow[]> {
  const storable = values.filter(column === 'id' ? isUuid : isStorableText);
  if (storable.length === 0) return [];
  const found = await selectVisible(kysely, entity)
    .where(hasOneOf(entity, column, storable))
    .execute();
  return found.map((columns) => fromColumns(entity, columns));
}

/** How many rows there are, counting no further than `limit`; expired ones that were not purged yet are included. */
export async function countUpTo(
  kysely: Transaction,
  entity: EntityDefinition,
  limit: number,
): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*)::text as count from (
      select 1 from ${sql.table(tableOf(entity))} where ${isOf(entity)} limit ${limit}) as counted`.execute(
    kysely,
  );
  return Number(rows[0]?.count);
}

/** Rows by ascending id, after the last one of the page before. */
export async function selectPage(
  kysely: Transaction,
  entity: EntityDefinition,
  query: PageQuery,
): Promise<Page> {
  let select = selectVisible(kysely, entity);
  if (query.offset !== undefined) {
    const [lastId] = decodeOffset(query.offset, 1, ([id]) => isUuid(id));
    select = select.where('id', '>', lastId);
  }
  if (query.parent) {
    const { field, id } = query.parent;
    const column = entity.published ? parentColumn(entity, field) : columnOf(field, entity.fields[field]);
    select = select.where(sql.ref(column), '=', id);
  }
  if (query.tags && entity.fields['tags']) select = select.where(hasTags(query.tags));
  const found = await select
    .orderBy('id')
    .limit(query.size + 1)
    .execute();
  const rows = found.slice(0, query.size).map((columns) => fromColumns(entity, columns));
  const last = rows.at(-1);
  return found.length > query.size && last ? { rows, offset: encodeOffset([last.id]) } : { rows };
}

export function selectVisible(kysely: Transaction, entity: EntityDefinition) {
  return kysely
    .selectFrom<keyof Tables>(tableOf(entity))
    .select(selectionOf(entity))
    .where(isVisible(entity));
}

function hasTags({ mode, values }: NonNullable<PageQuery['tags']>): Expression<SqlBool> {
  const storable = values.filter(isStorableText);
  if (storable.length === 0 || (mode === 'and' && storable.length < values.length))
    return sql<SqlBool>`false`;
  const wanted = sql`array[${sql.join(storable)}]::text[]`;
  return mode === 'and' ? sql<SqlBool>`tags @> ${wanted}` : sql<SqlBool>`tags && ${wanted}`;
}

/** Postgres refuses NUL and half surrogate pairs even as parameters; no stored text has them. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
