/** The entity store over Kysely: one implementation for every entity, on Postgres and on PGlite alike. */
import { sql } from 'kysely';
import { isUuid, luaFormat } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { Database, Tables } from './database.ts';
import {
  columnOf,
  EXPIRY_COLUMN,
  fromColumns,
  tableOf,
  toColumns,
  UNIQUE_TOGETHER_COLUMN,
  uniqueTogetherKey,
} from './entity-columns.ts';
import { EntityError } from './entity-error.ts';
import type { EntityStore } from './entity-store.ts';
import {
  isOf,
  isStorableText,
  isVisible,
  selectAll,
  selectByColumn,
  selectionOf,
  selectPage,
} from './select-entities.ts';
import { selectTags } from './select-tags.ts';
import {
  isDocumentKeyClash,
  isPrimaryKeyClash,
  listUniques,
  referenceViolation,
  translateDeleteFailure,
  translateFailure,
  translateWriteFailure,
  uniqueViolation,
} from './translate-store-error.ts';

export interface ExpiringEntityStore extends EntityStore {
  /** Removes expired rows for good and returns how many; they are invisible already. */
  purgeExpired(): Promise<number>;
}

/**
 * A store of `entities`, whose tables migrations have made. References to entities that are not among them are
 * refused as references to nothing. Errors: see EntityStore.
 */
export function createEntityStore(
  database: Database,
  entities: readonly EntityDefinition[],
): ExpiringEntityStore {
  const { kysely } = database;

  const guard = async <Result>(
    work: () => Promise<Result>,
    translate: (error: unknown) => unknown = translateFailure,
  ): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw translate(error);
    }
  };

  const write = (
    entity: EntityDefinition,
    row: EntityRow,
    work: () => Promise<Record<string, unknown> | undefined>,
  ): Promise<EntityRow> =>
    guard(async () => {
      refuseUnknownReferences(entities, entity, row);
      // An expired row that was not purged yet must not stand in the way of its successor.
      if (entity.hasTtl) await deleteExpired(kysely, entity);
      const written = await attempt(work, async (error) => {
        if (isPrimaryKeyClash(entity, error)) await refuseTakenUnique(kysely, entity, row, undefined);
        if (isDocumentKeyClash(error)) await refuseTakenUnique(kysely, entity, row, row.id);
        return translateWriteFailure(entity, row, error);
      });
      if (!written) throw notFound(row.id);
      return fromColumns(entity, written);
    });

  return {
    selectById: (entity, id) =>
      guard(async () => (isUuid(id) ? selectByColumn(kysely, entity, 'id', id) : undefined)),
    selectByUnique: (entity, field, value) =>
      guard(async () => (isStorableText(value) ? selectByColumn(kysely, entity, field, value) : undefined)),
    selectByUniqueTogether: (entity, members) =>
      guard(async () => {
        const key = uniqueTogetherKey(entity.uniqueTogether ?? [], members);
        return isStorableText(key) ? selectByColumn(kysely, entity, UNIQUE_TOGETHER_COLUMN, key) : undefined;
      }),
    page: (entity, query) => guard(() => selectPage(kysely, entity, query)),
    all: (entity) => guard(() => selectAll(kysely, entity)),

    insert: (entity, row, ttlSeconds) =>
      write(entity, row, () =>
        kysely
          .insertInto<keyof Tables>(tableOf(entity))
          .values({ ...toColumns(entity, row), ...expiry(entity, ttlSeconds ?? 0) })
          .returning(selectionOf(entity))
          .executeTakeFirst(),
      ),
    update: (entity, row, ttlSeconds) =>
      write(entity, row, () =>
        kysely
          .updateTable<keyof Tables>(tableOf(entity))
          .set({ ...changesOf(entity, row), ...(ttlSeconds !== undefined && expiry(entity, ttlSeconds)) })
          .where('id', '=', row.id)
          .where(isOf(entity))
          .returning(selectionOf(entity))
          .executeTakeFirst(),
      ),
    upsert: (entity, row, ttlSeconds) =>
      write(entity, row, () => {
        const expires = expiry(entity, ttlSeconds ?? 0);
        return kysely
          .insertInto<keyof Tables>(tableOf(entity))
          .values({ ...toColumns(entity, row), ...expires })
          .onConflict((conflict) =>
            conflict
              .columns(entity.published ? ['entity', 'id'] : ['id'])
              .doUpdateSet({ ...changesOf(entity, row), ...expires }),
          )
          .returning(selectionOf(entity))
          .executeTakeFirst();
      }),
    delete: (entity, id) =>
      guard(
        async () => {
          if (!isUuid(id)) return false;
          const deleted = await kysely
            .deleteFrom<keyof Tables>(tableOf(entity))
            .where('id', '=', id)
            .where(isVisible(entity))
            .returning('id')
            .execute();
          return deleted.length > 0;
        },
        (error) => translateDeleteFailure(entity, error),
      ),

    tags: (query) => guard(() => selectTags(kysely, entities, query)),
    announce: ({ kind, subject, details }) =>
      guard(async () => {
        await sql`select record_event(${kind}, ${subject}::uuid, array[${sql.join(details)}]::text[])`.execute(
          kysely,
        );
      }),
    ping: () => guard(async () => void (await sql`select 1`.execute(kysely))),
    purgeExpired: () =>
      guard(async () => {
        let purged = 0;
        for (const entity of entities) if (entity.hasTtl) purged += await deleteExpired(kysely, entity);
        return purged;
      }),
  };
}

async function attempt<Result>(
  work: () => Promise<Result>,
  translate: (error: unknown) => Promise<unknown>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw await translate(error);
  }
}

/** What other versions of a package have written into a document stays: one may come back. */
function changesOf(entity: EntityDefinition, row: EntityRow): Record<string, unknown> {
  const columns = toColumns(entity, row);
  if (!entity.published) return columns;
  return {
    ...columns,
    document: sql`${sql.ref(`${tableOf(entity)}.document`)} || ${columns['document']}::jsonb`,
  };
}

/** Seconds from now by the database's clock, the one all nodes share; 0 is never. */
function expiry(entity: EntityDefinition, ttlSeconds: number): Record<string, unknown> {
  if (!entity.hasTtl) return {};
  return { [EXPIRY_COLUMN]: ttlSeconds > 0 ? sql`now() + make_interval(secs => ${ttlSeconds})` : null };
}

async function deleteExpired(kysely: Database['kysely'], entity: EntityDefinition): Promise<number> {
  const { numDeletedRows } = await kysely
    .deleteFrom<keyof Tables>(tableOf(entity))
    .where(isOf(entity))
    .where(sql.ref(EXPIRY_COLUMN), '<=', sql`now()`)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

function refuseUnknownReferences(
  entities: readonly EntityDefinition[],
  entity: EntityDefinition,
  row: EntityRow,
): void {
  for (const [name, field] of Object.entries(entity.fields)) {
    if (field.type !== 'foreign' || (row[name] ?? null) === null) continue;
    if (!entities.some((known) => known.name === field.reference))
      throw referenceViolation(entity, name, row);
  }
}

/**
 * A taken unique value is reported before a taken id (contract/admin-api.md section 4); the database says it after.
 * `ownId`: of a row that may well have it.
 */
async function refuseTakenUnique(
  kysely: Database['kysely'],
  entity: EntityDefinition,
  row: EntityRow,
  ownId: string | undefined,
): Promise<void> {
  const columns = entity.published ? row : toColumns(entity, row);
  for (const { fields } of listUniques(entity)) {
    const [field] = fields;
    const column = fields.length > 1 ? 'cache_key' : columnOf(field ?? '', entity.fields[field ?? '']);
    const value = columns[column];
    if (typeof value !== 'string') continue;
    const taken = await selectByColumn(kysely, entity, column, value);
    if (taken !== undefined && taken.id !== ownId) throw uniqueViolation(fields, row);
  }
}

function notFound(id: string): EntityError {
  const key = { id };
  return new EntityError(6, `could not find the entity with primary key '${luaFormat(key)}'`, {
    fields: key,
  });
}
