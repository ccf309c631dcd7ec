/** How an entity lies in its table: which columns, of which types, and how values pass between row and column. */
import { type FieldDefinition, isPlainRecord } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import { DOCUMENT_COLUMNS, DOCUMENTS_TABLE, fromDocument, toDocument } from './document-columns.ts';

/** Types as `information_schema` names them. */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'bigint'
  | 'double precision'
  | 'boolean'
  | 'text[]'
  | 'jsonb'
  | 'timestamp with time zone';

export interface EntityColumn {
  readonly field: string;
  readonly column: string;
  readonly type: ColumnType;
}

/** Holds the fields of `uniqueTogether` as one text, because Postgres before 15 takes nulls for different. */
export const UNIQUE_TOGETHER_COLUMN = 'cache_key';
export const EXPIRY_COLUMN = 'expires_at';

export function tableOf({ name, published }: EntityDefinition): string {
  return published ? DOCUMENTS_TABLE : name;
}

/** Columns that make up a row when it is read. */
export function listReadColumns(entity: EntityDefinition): readonly string[] {
  return entity.published ? DOCUMENT_COLUMNS : listColumns(entity).map(({ column }) => column);
}

/** The columns that hold fields, in the fields' order. */
export function listColumns(entity: EntityDefinition): readonly EntityColumn[] {
  return Object.entries(entity.fields).map(([field, definition]) => ({
    field,
    column: columnOf(field, definition),
    type: columnType(definition),
  }));
}

export function columnOf(field: string, definition: FieldDefinition | undefined): string {
  return definition?.type === 'foreign' ? `${field}_id` : field;
}

function columnType(field: FieldDefinition): ColumnType {
  switch (field.type) {
    case 'string':
      return field.uuid ? 'uuid' : 'text';
    case 'integer':
      return 'bigint';
    case 'number':
      return 'double precision';
    case 'boolean':
      return 'boolean';
    case 'foreign':
      return 'uuid';
    case 'array':
    case 'set':
      return field.elements.type === 'string' ? 'text[]' : 'jsonb';
    default:
      return 'jsonb';
  }
}

/** Column values of a complete row. */
export function toColumns(entity: EntityDefinition, row: EntityRow): Record<string, unknown> {
  if (entity.published) return toDocument(entity, row);
  const values = listColumns(entity).map(({ field, column, type }) => [
    column,
    toColumn(type, row[field] ?? null),
  ]);
  const together = entity.uniqueTogether;
  return {
    ...Object.fromEntries(values),
    ...(together && { [UNIQUE_TOGETHER_COLUMN]: uniqueTogetherKey(together, row) }),
  };
}

function toColumn(type: ColumnType, value: unknown): unknown {
  if (value === null) return null;
  if (type === 'uuid' && isPlainRecord(value)) return value['id'];
  return type === 'jsonb' ? JSON.stringify(value) : value;
}

/** What `UNIQUE_TOGETHER_COLUMN` holds for these members. */
export function uniqueTogetherKey(fields: readonly string[], row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    fields.map((field) => {
      const value = row[field] ?? null;
      return isPlainRecord(value) ? String(value['id']).toLowerCase() : value;
    }),
  );
}

/** The row that columns hold, as the Admin API shows it. */
export function fromColumns(entity: EntityDefinition, columns: Readonly<Record<string, unknown>>): EntityRow {
  const fields = entity.published
    ? fromDocument(entity, columns['id'], columns['document'] as Readonly<Record<string, unknown>>)
    : fieldsOf(entity, columns);
  const ttl = columns['ttl'] ?? null;
  return {
    ...fields,
    ...(entity.hasTtl && { ttl: ttl === null ? null : Number(ttl) }),
  } as EntityRow;
}

function fieldsOf(entity: EntityDefinition, columns: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(entity.fields).map(([field, definition]) => [
      field,
      fromColumn(definition, columns[columnOf(field, definition)] ?? null),
    ]),
  );
}

function fromColumn(field: FieldDefinition, value: unknown): unknown {
  if (value === null) return null;
  if (field.type === 'foreign') return { id: value };
  // Drivers hand over 64-bit integers as texts.
  return field.type === 'integer' ? Number(value) : value;
}
