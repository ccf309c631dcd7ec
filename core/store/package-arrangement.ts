/** What becomes of the rows of a package's entities when another of its versions is put to use, in the same statement. */
import { sql } from 'kysely';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { Database } from './database.ts';
import { DOCUMENTS_TABLE, toDocument } from './document-columns.ts';
import { EntityError } from './entity-error.ts';
import { translateFailure } from './translate-store-error.ts';

/** A row as it lies in the database, whichever version has written it. */
export interface StoredDocument {
  readonly id: string;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface RewrittenRow {
  readonly row: EntityRow;
  /** What the decision was made on. */
  readonly before: StoredDocument['document'];
}

export interface ArrangedEntity {
  readonly definition: EntityDefinition;
  /** Rows that are to change with it. */
  readonly rewritten: readonly RewrittenRow[];
  /** How many rows there must be, where all of them were looked at. */
  readonly rowCount?: number;
}

export interface PackageArrangement {
  /** All that the package has from now on. */
  readonly entities: readonly ArrangedEntity[];
  /** Entities that are gone take their rows with them; otherwise such rows fail the whole. */
  readonly purge: boolean;
}

/** Nothing has happened. `changed`: rows are not any more what they were; `conflict`: the message says what is. */
export class ArrangementError extends Error {
  override readonly name = 'ArrangementError';
  readonly kind: 'changed' | 'conflict';

  constructor(kind: 'changed' | 'conflict', message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export const NO_ENTITIES: PackageArrangement = { entities: [], purge: false };

/** An SQL expression that does it and is true, to be selected by a statement that does the rest. */
export function arrangeEntities(owner: string, { entities, purge }: PackageArrangement) {
  const kinds = entities.map(({ definition, rowCount }) => ({
    entity: definition.name,
    revision: definition.published?.revision ?? 1,
    rows: rowCount ?? null,
  }));
  const rewritten = entities.flatMap(({ definition, rewritten: rows }) =>
    rows.map(({ row, before }) => {
      const { document, revision: _revision, ...columns } = toDocument(definition, row);
      return { ...columns, document: JSON.parse(String(document)), before };
    }),
  );
  return sql`arrange_package_entities(${owner}, ${JSON.stringify(kinds)}::jsonb, ${JSON.stringify(rewritten)}::jsonb, ${purge})`;
}

const CHANGED = 'TG001';
const BELONGS_TO_ANOTHER = 'TG002';
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATIONS = ['23503', '23001'];

/** What the failure of such a statement means. */
export function translateArrangementFailure(error: unknown): unknown {
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  if (code === CHANGED) return new ArrangementError('changed', message, error);
  if (code === BELONGS_TO_ANOTHER) return new ArrangementError('conflict', message, error);
  if (code === UNIQUE_VIOLATION) {
    return new ArrangementError('conflict', 'two rows would have the same unique value', error);
  }
  if (FOREIGN_KEY_VIOLATIONS.includes(code)) {
    return new ArrangementError('conflict', 'entities that would be gone have rows', error);
  }
  return error instanceof EntityError ? error : translateFailure(error);
}

export interface PackageDocuments {
  /** Rows by ascending id, after this one. Throws StoreUnavailableError. */
  read(entity: string, afterId: string | undefined, limit: number): Promise<readonly StoredDocument[]>;
  /** Whether the entity has any. Throws StoreUnavailableError. */
  hasRows(entity: string): Promise<boolean>;
  /** Revision of the rows of an entity; undefined when no package has it. Throws StoreUnavailableError. */
  revisionOf(entity: string): Promise<number | undefined>;
}

export function createPackageDocuments({ kysely }: Pick<Database, 'kysely'>): PackageDocuments {
  const guarded = async <Row>(work: () => Promise<{ readonly rows: readonly Row[] }>) => {
    try {
      return (await work()).rows;
    } catch (error) {
      throw translateFailure(error);
    }
  };
  const read: PackageDocuments['read'] = (entity, afterId, limit) =>
    guarded(() =>
      sql<StoredDocument>`
        select id::text, document from ${sql.table(DOCUMENTS_TABLE)}
        where entity = ${entity} and ${afterId === undefined ? sql`true` : sql`id > ${afterId}::uuid`}
        order by package_entities.id limit ${limit}`.execute(kysely),
    );
  return {
    read,
    hasRows: async (entity) => (await read(entity, undefined, 1)).length > 0,
    revisionOf: async (entity) => {
      const [kind] = await guarded(() =>
        sql<{ readonly revision: number }>`
          select revision from package_entity_kinds where entity = ${entity}`.execute(kysely),
      );
      return kind?.revision;
    },
  };
}
