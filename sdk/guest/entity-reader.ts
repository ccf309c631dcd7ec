/** `kong.entities`: the cache first, the host on a miss. */
import type { EntityReader } from '../entities.ts';
import type { CallState } from './call-state.ts';
import { loadEntity, loadList, peekEntity, peekList } from './entity-cache.ts';

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
  return waitFor(
    call,
    () => loadEntity(entity, field, value),
    (row) => (row ?? undefined) as Row | undefined,
  );
}

function listEntities<Row extends Identified>(
  call: CallState,
  entity: string,
  field: string,
  id: string,
): readonly Row[] | Promise<readonly Row[]> {
  const cached = peekList(entity, field, id);
  if (cached !== undefined) return cached as readonly unknown[] as readonly Row[];
  return waitFor(
    call,
    () => loadList(entity, field, id),
    (rows) => rows as readonly unknown[] as readonly Row[],
  );
}

/** The call stands still until it is loaded. */
function waitFor<Loaded, Result>(
  call: CallState,
  load: () => Promise<Loaded>,
  read: (loaded: Loaded) => Result,
): Promise<Result> {
  call.countLookup();
  call.pause();
  return load().then(
    (loaded) => {
      call.wake();
      return read(loaded);
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

  list<Row extends Identified>(entity: string, field: string, id: string) {
    return listEntities<Row>(this.#call, entity, field, id);
  }
}
