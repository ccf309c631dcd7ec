/** The one table from what went wrong to what the client is told (contract/admin-api.md section 4). */
import {
  EntityError,
  type EntityErrorCode,
  StaleEntityError,
  StoreUnavailableError,
} from '../store/entity-error.ts';
import { type AdminAnswer, answerJson, answerMessage } from './admin-exchange.ts';
import { AdminRefusal } from './admin-refusal.ts';

export const ENTITY_ERROR_STATUS: Readonly<Record<EntityErrorCode, number>> = {
  1: 400,
  2: 400,
  3: 400,
  4: 400,
  5: 409,
  6: 404,
  7: 400,
  9: 400,
  10: 400,
  11: 400,
  12: 405,
  13: 400,
  14: 400,
  19: 400,
};

/** The answer for a known failure; undefined for one that is ours to explain, which answers 500. */
export function answerForError(error: unknown): AdminAnswer | undefined {
  if (error instanceof EntityError)
    return answerJson(ENTITY_ERROR_STATUS[error.code], entityErrorBody(error));
  if (error instanceof AdminRefusal) return answerMessage(error.status, error.message);
  if (error instanceof StaleEntityError) return answerMessage(503, error.message);
  if (error instanceof StoreUnavailableError) {
    return answerMessage(
      503,
      'the database is not reachable; the proxy goes on serving its last configuration',
    );
  }
  return undefined;
}

/** `{code, name, message, fields?, options?}`. */
export function entityErrorBody(error: EntityError): Record<string, unknown> {
  return {
    code: error.code,
    name: error.errorName,
    message: error.message,
    ...(error.fields === undefined ? {} : { fields: error.fields }),
    ...(error.options === undefined ? {} : { options: error.options }),
  };
}
