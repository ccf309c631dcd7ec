/**
 * Rows looked up by unique fields and lists of rows by what they refer to, misses included, bounded by count. Two generations of a map stand in for a
 * least-recently-used list: what is not asked for again while one generation fills up is forgotten.
 */
import type { Invalidation } from '../protocol/host-call.ts';
import { callHost } from './outbox.ts';

type Row = Readonly<Record<string, unknown>>;

interface Entry {
  readonly entity: string;
  /** Null for a miss. A list has only `rows`. */
  readonly row: Row | null;
  readonly rows: readonly Row[] | undefined;
  readonly expiresAtMs: number;
}

/** Anybody can ask for what does not exist: long values would fill the memory, which entries do not count. */
const MAX_REMEMBERED_MISS_LENGTH = 512;

let maxEntries = 10_000;
let young = new Map<string, Entry>();
let old = new Map<string, Entry>();
/** Lookups under way. One that is invalidated meanwhile is taken out: its answer is used but not kept. */
const inFlight = new Map<string, Promise<unknown>>();

export function limitEntityCache(entries: number): void {
  maxEntries = entries;
}

/** The cached row, null for a cached miss, undefined when the host must be asked. */
export function peekEntity(entity: string, field: string, value: string): Row | null | undefined {
  return peek(cacheKey(entity, field, value))?.row;
}

/** The cached rows, none of them for a cached miss; undefined when the host must be asked. */
export function peekList(entity: string, field: string, id: string): readonly Row[] | undefined {
  return peek(listKey(entity, field, id))?.rows;
}

function peek(key: string): Entry | undefined {
  let entry = young.get(key);
  if (entry === undefined) {
    entry = old.get(key);
    if (entry === undefined) return undefined;
    old.delete(key);
    remember(key, entry);
  }
  if (entry.expiresAtMs <= Date.now()) {
    young.delete(key);
    return undefined;
  }
  return entry;
}

/** Asks the host once, however many requests want the same row. */
export function loadEntity(entity: string, field: string, value: string): Promise<Row | null> {
  return load(
    cacheKey(entity, field, value),
    () => callHost('entities.find', { entity, field, value }),
    (row) => ({ entity, row, rows: undefined, expiresAtMs: expiryOf(row) }),
  );
}

/** As `loadEntity`, for all rows whose reference `field` is to the row with this id. */
export function loadList(entity: string, field: string, id: string): Promise<readonly Row[]> {
  return load(
    listKey(entity, field, id),
    () => callHost('entities.list', { entity, field, id }),
    (rows) => ({ entity, row: null, rows, expiresAtMs: Math.min(...rows.map(expiryOf)) }),
  );
}

function load<Answer>(
  key: string,
  ask: () => Promise<Answer>,
  entryOf: (answer: Answer) => Entry,
): Promise<Answer> {
  const underWay = inFlight.get(key) as Promise<Answer> | undefined;
  if (underWay !== undefined) return underWay;
  const asked: Promise<Answer> = ask().then(
    (answer) => {
      if (inFlight.get(key) === asked) {
        inFlight.delete(key);
        const entry = entryOf(answer);
        const isMiss = entry.row === null && (entry.rows?.length ?? 0) === 0;
        if (!isMiss || key.length <= MAX_REMEMBERED_MISS_LENGTH) remember(key, entry);
      }
      return answer;
    },
    (error: unknown) => {
      if (inFlight.get(key) === asked) inFlight.delete(key);
      throw error;
    },
  );
  inFlight.set(key, asked);
  return asked;
}

/** Makes the next asker ask anew. Answers still to come are used by those who wait for them, and not kept. */
export function forgetLookups(): void {
  inFlight.clear();
}

export function invalidateEntities(invalidation: Invalidation): void {
  const { entity, id, keys, withReferences, everything } = invalidation;
  if (everything === true) {
    young.clear();
    old.clear();
    inFlight.clear();
    return;
  }
  for (const key of keys) {
    const [field = '', value = ''] = splitOnce(key);
    forget(cacheKey(entity, field, value));
  }
  // Lookups under way may have read the row before it changed.
  for (const key of inFlight.keys()) {
    if (withReferences || key.startsWith(`${entity}\0`)) inFlight.delete(key);
  }
  for (const generation of [young, old]) {
    for (const [key, entry] of generation) {
      const isRow = entry.entity === entity && entry.row?.['id'] === id;
      if (isRow || (withReferences && refersTo(entry.row, id))) generation.delete(key);
      else if (entry.rows?.some((row) => isStale(entry.entity, row, invalidation))) generation.delete(key);
    }
  }
}

function remember(key: string, entry: Entry): void {
  if (young.size * 2 >= maxEntries) {
    old = young;
    young = new Map();
  }
  young.set(key, entry);
}

function forget(key: string): void {
  young.delete(key);
  old.delete(key);
  inFlight.delete(key);
}

function expiryOf(row: Row | null): number {
  const ttl = row?.['ttl'];
  return typeof ttl === 'number' ? Date.now() + ttl * 1000 : Number.POSITIVE_INFINITY;
}

function isStale(entity: string, row: Row, changed: Invalidation): boolean {
  const isRow = entity === changed.entity && row['id'] === changed.id;
  return isRow || (changed.withReferences && refersTo(row, changed.id));
}

function refersTo(row: Row | null, id: string): boolean {
  if (row === null) return false;
  return Object.values(row).some(
    (member) => typeof member === 'object' && member !== null && (member as Row)['id'] === id,
  );
}

function cacheKey(entity: string, field: string, value: string): string {
  return `${entity}\0${field}\0${value}`;
}

/** Changes name a reference by its column. */
function listKey(entity: string, field: string, id: string): string {
  return cacheKey(entity, `${field}_id`, id);
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
