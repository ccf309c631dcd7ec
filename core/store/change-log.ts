/** Reading the log of changes that the triggers of migration 0003 write, on from where a node stands. */
import { type Kysely, sql } from 'kysely';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { Tables } from './database.ts';
import { fromColumns } from './entity-columns.ts';
import { selectVisible } from './select-entities.ts';

/** Postgres tells the number of the newest change on this channel when a writer commits. */
export const CHANGE_CHANNEL = 'tollgate_changes';

/**
 * A place in the log: a change, by number and by when it was written. The time tells apart two databases, or one
 * database before and after it was restored, that give the same number to different changes.
 */
export interface LogPosition {
  readonly sequence: number;
  readonly at: string;
}

export interface LoggedChange {
  readonly entity: string;
  /** An `event` is about no row: `entity` is its kind, and `keys` are its details. */
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate' | 'event';
  /** Null when all rows went at once. */
  readonly id: string | null;
  /** `field=value` of unique fields, before and after. */
  readonly keys: readonly string[];
}

/** A change, and what is stored of its row when the log is read: undefined when it is gone. */
export interface ReadChange extends LoggedChange {
  readonly row: EntityRow | undefined;
}

export interface LogExcerpt {
  readonly changes: readonly ReadChange[];
  /** Of the last change, or where the reader stood already. */
  readonly position: LogPosition;
}

interface LogRow {
  readonly sequence: string;
  readonly at: string;
  readonly entity: string;
  readonly operation: LoggedChange['operation'];
  readonly id: string | null;
  readonly keys: readonly string[];
  readonly columns: Readonly<Record<string, unknown>> | null;
}

/** Ordered by the table's column: the bare name would mean the text that is selected. */
export async function readHead(kysely: Kysely<Tables>): Promise<LogPosition> {
  const { rows } = await sql<Pick<LogRow, 'sequence' | 'at'>>`
    select sequence::text, at::text from changes order by changes.sequence desc limit 1`.execute(kysely);
  const [head] = rows;
  if (head === undefined) throw new Error('the log of changes is empty: its first row has been deleted');
  return { sequence: Number(head.sequence), at: head.at };
}

/**
 * One statement, so that changes and rows are of one moment. Undefined when changes since `position` are gone, or so
 * many that reading everything is cheaper.
 */
export async function readChanges(
  kysely: Kysely<Tables>,
  entities: readonly EntityDefinition[],
  position: LogPosition,
  maxChanges: number,
): Promise<LogExcerpt | undefined> {
  const stored = entities.map(
    (entity) => sql`when ${sql.lit(entity.name)} then (select to_jsonb(stored) from
      ${selectVisible(kysely, entity).whereRef('id', '=', sql.ref('changes.id'))} as stored)`,
  );
  // The change the reader stands on is read again: while it is there, nothing behind it has been purged.
  const { rows } = await sql<LogRow>`
    select sequence::text, at::text, entity, operation, id::text, keys,
      case when sequence = ${position.sequence} then null else case entity ${sql.join(stored, sql` `)} end end as columns
    from changes
    where sequence >= ${position.sequence} order by changes.sequence limit ${maxChanges + 2}`.execute(kysely);
  const [anchor, ...found] = rows;
  const isKnown = Number(anchor?.sequence) === position.sequence && anchor?.at === position.at;
  if (!isKnown || found.length > maxChanges) return undefined;
  const definitions = new Map(entities.map((entity) => [entity.name, entity]));
  const last = found.at(-1);
  return {
    changes: found.map(({ entity, operation, id, keys, columns }) => {
      const definition = definitions.get(entity);
      const row = definition && columns !== null ? fromColumns(definition, columns) : undefined;
      return { entity, operation, id, keys, row };
    }),
    position: last === undefined ? position : { sequence: Number(last.sequence), at: last.at },
  };
}

/** Forgets changes older than this, except for the newest of them, on which a node may stand. */
export async function purgeChanges(kysely: Kysely<Tables>, keptSeconds: number): Promise<void> {
  await sql`
    delete from changes where sequence <
      (select max(sequence) from changes where at < now() - make_interval(secs => ${keptSeconds}))`.execute(
    kysely,
  );
}
