/**
 * Rows of the configuration held in the control process for all workers: bounded by count, misses too, each asked for
 * once however many want it. Where all rows of an entity fit and every change to it is applied, the cache is complete
 * for it, and what it does not hold does not exist. Knows neither the database nor who asks.
 */

export type CachedRow = Readonly<Record<string, unknown>> & { readonly id: string };

export interface CachedEntity {
  readonly name: string;
  /** Fields by which rows can be asked for, besides `id`. */
  readonly uniqueFields: readonly string[];
  /** Foreign fields by which all rows of a parent can be asked for. Default none. */
  readonly listedBy?: readonly string[];
}

/** A row and when it stops to exist: infinite for never. */
export interface HeldRow {
  readonly row: CachedRow;
  readonly expiresAtMs: number;
}

/** One row that was written. */
export interface RowChange {
  readonly id: string;
  /** `column=value` of unique fields and of `listedBy`, before and after. */
  readonly keys: readonly string[];
  /** What is stored now; undefined when nothing is. */
  readonly row: CachedRow | undefined;
}

export interface RowCacheLimits {
  /** Rows of all entities together. */
  readonly maxRows: number;
  readonly maxMisses: number;
}

interface Shelf {
  readonly uniqueFields: readonly string[];
  readonly listedBy: readonly string[];
  /** Oldest use first, unless complete: then in no order. */
  readonly rows: Map<string, HeldRow>;
  /** `field=value` → id. */
  readonly ids: Map<string, string>;
  /** `column=id` of a parent → ids of its rows. */
  readonly children: Map<string, Set<string>>;
  isComplete: boolean;
}

/** Anybody can ask for what does not exist: long values would fill the memory, which entries do not count. */
const MAX_REMEMBERED_MISS_LENGTH = 512;
/** Lists held of entities that are not complete. */
const MAX_LISTS = 10_000;

export class RowCache {
  readonly #limits: RowCacheLimits;
  readonly #now: () => number;
  readonly #shelves = new Map<string, Shelf>();
  readonly #misses = new Set<string>();
  /** Lookups under way. One whose entity changes meanwhile is taken out: its answer is used but not kept. */
  readonly #inFlight = new Map<string, Promise<CachedRow | null>>();
  /** All rows of a parent, of entities that are not complete. Oldest use first. */
  readonly #lists = new Map<string, readonly HeldRow[]>();
  readonly #listsInFlight = new Map<string, Promise<readonly CachedRow[]>>();
  #rowCount = 0;

  constructor(entities: readonly CachedEntity[], limits: RowCacheLimits, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
    for (const entity of entities) this.add(entity);
  }

  /** One that it did not have. */
  add({ name, uniqueFields, listedBy = [] }: CachedEntity): void {
    this.#shelves.set(name, {
      uniqueFields,
      listedBy,
      rows: new Map(),
      ids: new Map(),
      children: new Map(),
      isComplete: false,
    });
  }

  /** Its rows, and what is known not to exist of it, are forgotten. */
  drop(entity: string): void {
    this.replaceAll(entity, [], false);
    this.#shelves.delete(entity);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  isComplete(entity: string): boolean {
    return this.#shelves.get(entity)?.isComplete === true;
  }

  /**
   * The row whose unique `field` is `value`, or null; `ttl` is counted down. `load` is called when the cache cannot
   * tell, once for all who ask meanwhile, and rejects for all of them. Throws for a field that is not unique.
   */
  find(
    entity: string,
    field: string,
    value: string,
    load: () => Promise<CachedRow | undefined>,
  ): CachedRow | null | Promise<CachedRow | null> {
    const shelf = this.#shelf(entity);
    if (field !== 'id' && !shelf.uniqueFields.includes(field)) {
      throw new Error(`'${field}' is not a unique field of ${entity}`);
    }
    const id = field === 'id' ? value.toLowerCase() : shelf.ids.get(keyOf(field, value));
    const held = id === undefined ? undefined : shelf.rows.get(id);
    if (held !== undefined) return this.#use(shelf, held);
    const missKey = keyOfMiss(entity, keyOf(field, value));
    if (shelf.isComplete || this.#misses.has(missKey)) return null;
    return this.#inFlight.get(missKey) ?? this.#load(entity, missKey, load);
  }

  /** All rows whose reference `field` is to this parent. `load` and errors: see `find`. */
  list(
    entity: string,
    field: string,
    parentId: string,
    load: () => Promise<readonly CachedRow[]>,
  ): readonly CachedRow[] | Promise<readonly CachedRow[]> {
    const shelf = this.#shelf(entity);
    if (!shelf.listedBy.includes(field)) throw new Error(`rows of ${entity} are not listed by '${field}'`);
    const key = keyOfParent(field, parentId.toLowerCase());
    if (shelf.isComplete) {
      const held = [...(shelf.children.get(key) ?? [])].flatMap((id) => shelf.rows.get(id) ?? []);
      return this.#living(held);
    }
    const listKey = keyOfMiss(entity, key);
    const known = this.#lists.get(listKey);
    if (known === undefined) return this.#listsInFlight.get(listKey) ?? this.#loadList(listKey, load);
    this.#lists.delete(listKey);
    this.#lists.set(listKey, known);
    return this.#living(known);
  }

  /** Replaces all rows of an entity; `rows` in the order in which they were used, where that is known. */
  replaceAll(entity: string, rows: readonly HeldRow[], isComplete: boolean): void {
    const shelf = this.#shelf(entity);
    this.#forgetLookups(entity);
    for (const missKey of this.#misses) {
      if (missKey.startsWith(`${entity}\0`)) this.#misses.delete(missKey);
    }
    for (const listKey of this.#lists.keys()) {
      if (listKey.startsWith(`${entity}\0`)) this.#lists.delete(listKey);
    }
    this.#rowCount -= shelf.rows.size;
    shelf.rows.clear();
    shelf.ids.clear();
    shelf.children.clear();
    shelf.isComplete = isComplete;
    for (const held of rows) this.#put(shelf, held);
  }

  /** Takes over changes in the order in which they were made. */
  apply(entity: string, changes: readonly RowChange[]): void {
    const shelf = this.#shelf(entity);
    this.#forgetLookups(entity);
    for (const { id, keys, row } of changes) {
      const wasHeld = this.#remove(shelf, id);
      for (const key of [keyOf('id', id), ...keys]) {
        this.#misses.delete(keyOfMiss(entity, key));
        this.#lists.delete(keyOfMiss(entity, key));
      }
      const hasRoom = this.#rowCount < this.#limits.maxRows;
      if (row !== undefined && (wasHeld || shelf.isComplete || hasRoom)) this.#put(shelf, this.hold(row));
    }
  }

  /** Ids by last use, the latest at the end. */
  listIds(entity: string): readonly string[] {
    return [...this.#shelf(entity).rows.keys()];
  }

  /** What is held now; the rows are never changed in place. */
  listRows(entity: string): readonly HeldRow[] {
    return [...this.#shelf(entity).rows.values()];
  }

  /** A row as it came from the database, with its seconds left made a point in time. */
  hold(row: CachedRow): HeldRow {
    const ttl = row['ttl'];
    const expiresAtMs = typeof ttl === 'number' ? this.#now() + ttl * 1000 : Number.POSITIVE_INFINITY;
    return { row, expiresAtMs };
  }

  #shelf(entity: string): Shelf {
    const shelf = this.#shelves.get(entity);
    if (shelf === undefined) throw new Error(`rows of '${entity}' are not cached`);
    return shelf;
  }

  #use(shelf: Shelf, held: HeldRow): CachedRow | null {
    const { row, expiresAtMs } = held;
    if (!shelf.isComplete) {
      shelf.rows.delete(row.id);
      shelf.rows.set(row.id, held);
    }
    if (expiresAtMs === Number.POSITIVE_INFINITY) return row;
    const leftMs = expiresAtMs - this.#now();
    // Written anew with a longer life, it would have come as a change.
    return leftMs <= 0 ? null : { ...row, ttl: Math.ceil(leftMs / 1000) };
  }

  #living(held: readonly HeldRow[]): readonly CachedRow[] {
    const now = this.#now();
    return held.flatMap(({ row, expiresAtMs }) => (expiresAtMs > now ? [row] : []));
  }

  #loadList(listKey: string, load: () => Promise<readonly CachedRow[]>): Promise<readonly CachedRow[]> {
    const asked: Promise<readonly CachedRow[]> = load().then(
      (rows) => {
        if (this.#listsInFlight.get(listKey) === asked) {
          this.#listsInFlight.delete(listKey);
          this.#rememberList(listKey, rows);
        }
        return rows;
      },
      (error: unknown) => {
        if (this.#listsInFlight.get(listKey) === asked) this.#listsInFlight.delete(listKey);
        throw error;
      },
    );
    this.#listsInFlight.set(listKey, asked);
    return asked;
  }

  #rememberList(listKey: string, rows: readonly CachedRow[]): void {
    this.#lists.set(
      listKey,
      rows.map((row) => this.hold(row)),
    );
    if (this.#lists.size <= MAX_LISTS) return;
    const oldest = this.#lists.keys().next();
    if (oldest.done !== true) this.#lists.delete(oldest.value);
  }

  #load(
    entity: string,
    missKey: string,
    load: () => Promise<CachedRow | undefined>,
  ): Promise<CachedRow | null> {
    const asked: Promise<CachedRow | null> = load().then(
      (row) => {
        if (this.#inFlight.get(missKey) === asked) {
          this.#inFlight.delete(missKey);
          if (row !== undefined) this.#replace(this.#shelf(entity), this.hold(row));
          else this.#rememberMiss(missKey);
        }
        return row ?? null;
      },
      (error: unknown) => {
        if (this.#inFlight.get(missKey) === asked) this.#inFlight.delete(missKey);
        throw error;
      },
    );
    this.#inFlight.set(missKey, asked);
    return asked;
  }

  #rememberMiss(missKey: string): void {
    if (missKey.length > MAX_REMEMBERED_MISS_LENGTH) return;
    this.#misses.add(missKey);
    if (this.#misses.size <= this.#limits.maxMisses) return;
    const oldest = this.#misses.keys().next();
    if (oldest.done !== true) this.#misses.delete(oldest.value);
  }

  /** Lookups under way may have read rows before they changed. */
  #forgetLookups(entity: string): void {
    for (const key of this.#inFlight.keys()) {
      if (key.startsWith(`${entity}\0`)) this.#inFlight.delete(key);
    }
    for (const key of this.#listsInFlight.keys()) {
      if (key.startsWith(`${entity}\0`)) this.#listsInFlight.delete(key);
    }
  }

  #replace(shelf: Shelf, held: HeldRow): void {
    this.#remove(shelf, held.row.id);
    this.#put(shelf, held);
  }

  #put(shelf: Shelf, held: HeldRow): void {
    shelf.rows.set(held.row.id, held);
    this.#rowCount++;
    for (const key of keysOf(shelf, held.row)) shelf.ids.set(key, held.row.id);
    for (const key of parentKeysOf(shelf, held.row)) {
      const siblings = shelf.children.get(key);
      if (siblings === undefined) shelf.children.set(key, new Set([held.row.id]));
      else siblings.add(held.row.id);
    }
    while (this.#rowCount > this.#limits.maxRows) this.#evict(shelf);
  }

  /** A complete shelf is the last to lose rows: it would stop to be complete. */
  #evict(growing: Shelf): void {
    let victim: Shelf = growing;
    for (const shelf of this.#shelves.values()) {
      if (shelf.isComplete || shelf.rows.size === 0) continue;
      if (victim.isComplete || shelf.rows.size > victim.rows.size) victim = shelf;
    }
    victim.isComplete = false;
    const oldest = victim.rows.keys().next();
    if (oldest.done !== true) this.#remove(victim, oldest.value);
  }

  #remove(shelf: Shelf, id: string): boolean {
    const held = shelf.rows.get(id);
    if (held === undefined) return false;
    shelf.rows.delete(id);
    this.#rowCount--;
    for (const key of keysOf(shelf, held.row)) {
      // The value may have passed to another row by now.
      if (shelf.ids.get(key) === id) shelf.ids.delete(key);
    }
    for (const key of parentKeysOf(shelf, held.row)) {
      const siblings = shelf.children.get(key);
      siblings?.delete(id);
      if (siblings?.size === 0) shelf.children.delete(key);
    }
    return true;
  }
}

function keysOf(shelf: Shelf, row: CachedRow): string[] {
  return shelf.uniqueFields.flatMap((field) => {
    const value = row[field];
    return typeof value === 'string' ? [keyOf(field, value)] : [];
  });
}

function parentKeysOf(shelf: Shelf, row: CachedRow): string[] {
  return shelf.listedBy.flatMap((field) => {
    const parent = row[field] as { readonly id: string } | null;
    return parent === null ? [] : [keyOfParent(field, parent.id)];
  });
}

/** As the log of changes names it: by its column. */
function keyOfParent(field: string, parentId: string): string {
  return keyOf(`${field}_id`, parentId);
}

function keyOf(field: string, value: string): string {
  return `${field}=${value}`;
}

function keyOfMiss(entity: string, key: string): string {
  return `${entity}\0${key}`;
}
