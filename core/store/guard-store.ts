/**
 * The entity store as the Admin API and lookups use it while the database may be gone: a database known to be lost is
 * not asked, and one that stays silent is not waited for.
 */
import type { DatabaseWatch } from './database-watch.ts';
import { StoreUnavailableError } from './entity-error.ts';
import type { EntityStore } from './entity-store.ts';

/** After this time the silence of the database is suspicious. */
const SUSPICIOUS_MS = 1500;
/** Longer than the server lets a statement run: what has no answer by then will never have one. */
const DEADLINE_MS = 6000;

export type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Rejects with StoreUnavailableError at once while the database is lost, and within seconds when it falls silent. */
export function createGuard(watch: Pick<DatabaseWatch, 'problem' | 'suspect' | 'distrust'>): Guard {
  return async (work) => {
    if (watch.problem !== undefined) throw new StoreUnavailableError(new Error(watch.problem));
    let timer: NodeJS.Timeout | undefined;
    const suspicion = setTimeout(() => watch.suspect(), SUSPICIOUS_MS);
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new StoreUnavailableError(new Error(`no answer after ${DEADLINE_MS} ms`)));
        watch.distrust();
      }, DEADLINE_MS);
    });
    try {
      return await Promise.race([work(), deadline]);
    } catch (error) {
      if (error instanceof StoreUnavailableError) watch.suspect();
      throw error;
    } finally {
      clearTimeout(timer);
      clearTimeout(suspicion);
    }
  };
}

/** Every method as before, behind the guard. */
export function guardStore(store: EntityStore, guard: Guard): EntityStore {
  return {
    selectById: (...given) => guard(() => store.selectById(...given)),
    selectByUnique: (...given) => guard(() => store.selectByUnique(...given)),
    selectByUniqueTogether: (...given) => guard(() => store.selectByUniqueTogether(...given)),
    page: (...given) => guard(() => store.page(...given)),
    all: (...given) => guard(() => store.all(...given)),
    insert: (...given) => guard(() => store.insert(...given)),
    update: (...given) => guard(() => store.update(...given)),
    upsert: (...given) => guard(() => store.upsert(...given)),
    delete: (...given) => guard(() => store.delete(...given)),
    tags: (...given) => guard(() => store.tags(...given)),
    announce: (...given) => guard(() => store.announce(...given)),
    ping: () => guard(() => store.ping()),
  };
}
