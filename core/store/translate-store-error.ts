/** What a driver's error means: a clash the client caused, or a database that cannot serve. */
import { isPlainRecord, luaFormat } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import { DOCUMENT_KEYS_TABLE, DOCUMENTS_TABLE, parentColumn } from './document-columns.ts';
import { tableOf } from './entity-columns.ts';
import { EntityError, StaleEntityError, StoreUnavailableError } from './entity-error.ts';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
/** Postgres 18 reports `on delete restrict` by this. */
const RESTRICT_VIOLATION = '23001';
/** A text does not fit into the index that guards or finds it: a third of a page, after compression. */
const LIMIT_EXCEEDED = '54000';

/** A row of a revision that its entity does not have (migration `package_entities`). */
const DOCUMENT_KIND_CONSTRAINT = 'package_entities_kind_fkey';

interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
  readonly table?: string;
}

/** SQLSTATE classes: connection, authorisation, resources, operator intervention (shutdown, timeouts), system. */
const UNAVAILABLE_CLASSES = /^(?:08|28|53|57|58|3D)/;
const SOCKET_CODES = /^(?:E[A-Z]+|EAI_[A-Z]+)$/;
const CONNECTION_TEXTS =
  /Connection terminated|timeout exceeded when trying to connect|not queryable|connection has been discarded|PGlite is clos/i;

/** Returns StoreUnavailableError for failures of the database itself, anything else as it is. */
export function translateFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EntityError) return error;
  const code = (error as DriverError).code ?? '';
  const isUnavailable =
    UNAVAILABLE_CLASSES.test(code) || SOCKET_CODES.test(code) || CONNECTION_TEXTS.test(error.message);
  return isUnavailable ? new StoreUnavailableError(error) : error;
}

/** Whether a write failed because another row has the same id. */
export function isPrimaryKeyClash(entity: EntityDefinition, error: unknown): boolean {
  const { code, constraint } = driverError(error);
  return code === UNIQUE_VIOLATION && constraint === `${tableOf(entity)}_pkey`;
}

/** Whether a unique value of a published entity is taken; which one, the database does not say. */
export function isDocumentKeyClash(error: unknown): boolean {
  const { code, constraint } = driverError(error);
  return code === UNIQUE_VIOLATION && constraint === `${DOCUMENT_KEYS_TABLE}_pkey`;
}

/** The EntityError a failed insert or update stands for (contract/admin-api.md section 4), or the failure itself. */
export function translateWriteFailure(entity: EntityDefinition, row: EntityRow, error: unknown): unknown {
  const { code, constraint } = driverError(error);
  if (isPrimaryKeyClash(entity, error)) return primaryKeyViolation(row, error);
  if (code === UNIQUE_VIOLATION) {
    const fields = listUniques(entity).find((unique) => unique.constraint === constraint)?.fields;
    if (fields) return uniqueViolation(fields, row, error);
  }
  if (code === FOREIGN_KEY_VIOLATION) {
    if (constraint === DOCUMENT_KIND_CONSTRAINT) return new StaleEntityError(entity.name, error);
    const field = Object.keys(entity.fields).find((name) => constraint === referenceConstraint(entity, name));
    if (field) return referenceViolation(entity, field, row, error);
  }
  if (code === LIMIT_EXCEEDED) return tooLong(entity, row, error);
  return translateFailure(error);
}

function referenceConstraint(entity: EntityDefinition, field: string): string {
  if (!entity.published) return `${entity.name}_${field}_fkey`;
  return `${DOCUMENTS_TABLE}_${parentColumn(entity, field).replace(/_id$/, '')}_fkey`;
}

/** Which index was too small is not always told, but only the longest of the indexed texts can be too long. */
function tooLong(entity: EntityDefinition, row: EntityRow, cause: unknown): EntityError {
  const uniques = Object.keys(entity.fields).filter((name) => entity.fields[name]?.unique);
  const indexed = [...uniques, ...(entity.uniqueTogether ?? []), 'tags'];
  const [field = 'id'] = indexed.sort((a, b) => longestText(row[b]) - longestText(row[a]));
  const text = 'value is too long to be indexed';
  return new EntityError(2, `schema violation (${field}: ${text})`, { fields: { [field]: text }, cause });
}

function longestText(value: unknown): number {
  if (Array.isArray(value)) return Math.max(0, ...value.map(longestText));
  return typeof value === 'string' ? value.length : 0;
}

/** The EntityError a failed delete stands for, or the failure itself. */
export function translateDeleteFailure(entity: EntityDefinition, error: unknown): unknown {
  const { code, table } = driverError(error);
  if (code !== FOREIGN_KEY_VIOLATION && code !== RESTRICT_VIOLATION) return translateFailure(error);
  return new EntityError(4, `an existing '${table}' entity references this '${entity.name}' entity`, {
    fields: { '@referenced_by': table },
    cause: error,
  });
}

/** Unique fields, alone or together, and the constraint that guards them. */
export function listUniques(
  entity: EntityDefinition,
): readonly { readonly constraint: string; readonly fields: readonly string[] }[] {
  const single = Object.entries(entity.fields)
    .filter(([, field]) => field.unique)
    .map(([name]) => ({ constraint: `${entity.name}_${name}_key`, fields: [name] }));
  const together = entity.uniqueTogether;
  return together ? [...single, { constraint: `${entity.name}_cache_key_key`, fields: together }] : single;
}

export function uniqueViolation(fields: readonly string[], row: EntityRow, cause?: unknown): EntityError {
  const members = Object.fromEntries(fields.map((name) => [name, row[name] ?? null]));
  return new EntityError(5, `UNIQUE violation detected on '${luaFormat(members)}'`, {
    fields: members,
    cause,
  });
}

/** The row refers to something that does not exist. */
export function referenceViolation(
  entity: EntityDefinition,
  field: string,
  row: EntityRow,
  cause?: unknown,
): EntityError {
  const definition = entity.fields[field];
  const reference = definition?.type === 'foreign' ? definition.reference : field;
  const target = row[field];
  const key = { id: isPlainRecord(target) ? target['id'] : target };
  return new EntityError(
    4,
    `the foreign key '${luaFormat(key)}' does not reference an existing '${reference}' entity.`,
    { fields: { [field]: key }, cause },
  );
}

function primaryKeyViolation(row: EntityRow, cause: unknown): EntityError {
  const key = { id: row.id };
  return new EntityError(3, `primary key violation on key '${luaFormat(key)}'`, { fields: key, cause });
}

function driverError(error: unknown): DriverError {
  return error instanceof Error ? (error as DriverError) : {};
}
