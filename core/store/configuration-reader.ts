/**
 * Reading the configuration as a node follows it: whole, or what has changed since. Each reading sees one moment of
 * the database and says which place in the log of changes that moment is.
 */
import type { Kysely } from 'kysely';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import { type LogExcerpt, type LogPosition, purgeChanges, readChanges, readHead } from './change-log.ts';
import type { Database, Tables } from './database.ts';
import { countUpTo, selectAll, selectByValues } from './select-entities.ts';
import { translateFailure } from './translate-store-error.ts';

export interface WholeReading {
  readonly position: LogPosition;
  /** By entity name. */
  readonly rows: ReadonlyMap<string, readonly EntityRow[]>;
  /** Entities of which every row was read. */
  readonly complete: ReadonlySet<string>;
}

/** What to read of entities whose rows may be too many. */
export interface ReadingBound {
  /** Rows of all these entities together. */
  readonly maxRows: number;
  /** Rows worth reading where not all can be, the most wanted last. */
  keptIds(entity: string): readonly string[];
}

/** Every method may throw StoreUnavailableError. */
export interface ConfigurationReader {
  /** All rows of `whole`; of `bounded` as many entities whole as fit, the small ones first, and kept rows of others. */
  readAll(
    whole: readonly EntityDefinition[],
    bounded: readonly EntityDefinition[],
    bound: ReadingBound,
  ): Promise<WholeReading>;
  /** Undefined when the log does not reach back to `position`: then everything has to be read. */
  readChanges(position: LogPosition): Promise<LogExcerpt | undefined>;
  /** Rows by their value of a unique field. */
  readByValues(
    entity: EntityDefinition,
    field: string,
    values: readonly string[],
  ): Promise<ReadonlyMap<string, EntityRow>>;
  /** Forgets changes that all nodes should have seen. */
  purgeChanges(): Promise<void>;
}

/** More than this are not taken one by one. */
const MAX_CHANGES = 2000;
/** A node that hears nothing for longer reads everything again. */
const KEPT_SECONDS = 3600;
const IDS_PER_QUERY = 1000;

export function createConfigurationReader(
  database: Database,
  entities: readonly EntityDefinition[],
): ConfigurationReader {
  const atOneMoment = async <Result>(work: (kysely: Kysely<Tables>) => Promise<Result>): Promise<Result> => {
    try {
      // An embedded database has one session, in which a transaction would catch the queries of others too. Read
      // without one, rows may be newer than the position that was read before them: they are read once more then.
      if (database.kind === 'embedded') return await work(database.kysely);
      return await database.kysely.transaction().setIsolationLevel('repeatable read').execute(work);
    } catch (error) {
      throw translateFailure(error);
    }
  };

  return {
    readAll: (whole, bounded, bound) =>
      atOneMoment(async (kysely) => {
        const rows = new Map<string, readonly EntityRow[]>();
        const position = await readHead(kysely);
        for (const entity of whole) rows.set(entity.name, await selectAll(kysely, entity));
        const complete = await readBounded(kysely, bounded, bound, rows);
        return { position, rows, complete };
      }),

    async readChanges(position) {
      try {
        const excerpt = await readChanges(database.kysely, entities, position, MAX_CHANGES);
        return excerpt?.changes.some(({ id }) => id === null) === true ? undefined : excerpt;
      } catch (error) {
        throw translateFailure(error);
      }
    },

    async readByValues(entity, field, values) {
      try {
        const rows = await selectByValues(database.kysely, entity, field, values);
        return new Map(rows.map((row) => [String(row[field]), row]));
      } catch (error) {
        throw translateFailure(error);
      }
    },

    async purgeChanges() {
      try {
        await purgeChanges(database.kysely, KEPT_SECONDS);
      } catch (error) {
        throw translateFailure(error);
      }
    },
  };
}

async function readBounded(
  kysely: Kysely<Tables>,
  bounded: readonly EntityDefinition[],
  { maxRows, keptIds }: ReadingBound,
  rows: Map<string, readonly EntityRow[]>,
): Promise<ReadonlySet<string>> {
  const complete = new Set<string>();
  const counted: { readonly entity: EntityDefinition; readonly count: number }[] = [];
  for (const entity of bounded) counted.push({ entity, count: await countUpTo(kysely, entity, maxRows + 1) });
  let room = maxRows;
  for (const { entity, count } of counted.toSorted((a, b) => a.count - b.count)) {
    const isWhole = count <= room;
    const found = isWhole
      ? await selectAll(kysely, entity)
      : await readByIds(kysely, entity, room === 0 ? [] : keptIds(entity.name).slice(-room));
    if (isWhole) complete.add(entity.name);
    rows.set(entity.name, found);
    room -= found.length;
  }
  return complete;
}

/** In the order of the ids. */
async function readByIds(
  kysely: Kysely<Tables>,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<readonly EntityRow[]> {
  const found = new Map<string, EntityRow>();
  for (let at = 0; at < ids.length; at += IDS_PER_QUERY) {
    const rows = await selectByValues(kysely, entity, 'id', ids.slice(at, at + IDS_PER_QUERY));
    for (const row of rows) found.set(row.id, row);
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}
