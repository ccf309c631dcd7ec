/** Writes an entity without a database: the row that would be stored, or the body the Admin API would answer. */
import {
  completeForInsert,
  mergeForUpdate,
  validateEntity,
} from '../../../../core/entities/complete-entity.ts';
import type { EntityDefinition, EntityRow } from '../../../../core/entities/define-entity.ts';
import { EntityError } from '../../../../core/store/entity-error.ts';

export const NOW_SECONDS = 1_700_000_000;

type Input = Readonly<Record<string, unknown>>;

export function insertEntity(entity: EntityDefinition, input: Input): EntityRow {
  const row = completeForInsert(entity, input, NOW_SECONDS);
  validateEntity(entity, row, 'insert');
  return row;
}

export function updateEntity(entity: EntityDefinition, stored: EntityRow, input: Input): EntityRow {
  const row = mergeForUpdate(entity, stored, input, NOW_SECONDS + 1);
  validateEntity(entity, row, 'update');
  return row;
}

/** `{ code, name, message, fields }` of the refusal, or undefined when there is none. */
export function refusalOf(work: () => unknown): Record<string, unknown> | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof EntityError)) throw error;
    const { code, errorName: name, message, fields, options } = error;
    return { code, name, message, ...(fields && { fields }), ...(options && { options }) };
  }
}

/** The refusal of an input, in short: its `fields`. */
export function fieldErrors(entity: EntityDefinition, input: Input): unknown {
  return refusalOf(() => insertEntity(entity, input))?.['fields'];
}
