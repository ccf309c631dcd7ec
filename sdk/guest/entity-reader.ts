/** `kong.entities`: the cache first, the host on a miss. */
import type { EntityReader } from '../entities.ts';
import type { CallState } from './call-state.ts';
import { loadEntity, peekEntity } from './entity-cache.ts';

type Identified = { readonly id: string };

/** A cached row comes without a promise: most requests of a busy gateway ask for rows that are there. */
export function findEntity<Row extends Identified>(
  call: CallState,
  entity: string,
  field: string,
  value: string,
): Row | undefined | Promise<Row | undefined> {
  const cached = peekEntity(entity, field, value);
  if (cached !== undefined) return (cached ?? undefined) as Row | undefined;
  call.countLookup();
  call.pause();
  return loadEntity(entity, field, value).then(
    (row) => {
      call.wake();
      return (row ?? undefined) as Row | undefined;
    },
    (error: unknown) => {
      call.wake();
      throw error;
    },
  );
}

export class EntitiesView implements EntityReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  find<Row extends Identified>(entity: string, field: string, value: string) {
    return findEntity<Row>(this.#call, entity, field, value);
  }
}
