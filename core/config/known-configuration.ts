/**
 * What a node knows of the configuration: services, routes, plugins and upstreams whole, and of entities whose rows may be millions
 * as many as it may hold. It is told what was read and asked for rows; where readings come from and who serves the
 * result it does not know.
 */
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import { type CachedRow, RowCache } from '../cache/row-cache.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import type { LogExcerpt, LogPosition } from '../store/change-log.ts';
import type { WholeReading } from '../store/configuration-reader.ts';
import {
  type ConfigurationEvent,
  describeDelta,
  describeInvalidations,
  describeRowChanges,
  findInSnapshot,
  listEvents,
  listUniqueFields,
} from './describe-changes.ts';
import {
  EMPTY_SNAPSHOT,
  forEachEntity,
  SNAPSHOT_ENTITIES,
  type Snapshot,
  type SnapshotEntity,
  type SnapshotLists,
} from './snapshot.ts';
import { applyDelta, type SnapshotDelta } from './snapshot-delta.ts';
import type { SavedConfiguration } from './snapshot-file.ts';

/** One step of the configuration: rows for the plan, and rows no cache may serve any longer. */
export interface ConfigurationUpdate {
  readonly delta: SnapshotDelta;
  readonly invalidations: readonly Invalidation[];
  readonly events: readonly ConfigurationEvent[];
}

const MAX_MISSES = 10_000;

export class KnownConfiguration {
  readonly #entities: readonly EntityDefinition[];
  readonly #cache: RowCache;
  /** What the cache holds rows of. */
  #cached: readonly EntityDefinition[] = [];
  /** Of these no row has been read yet. */
  #unread: readonly EntityDefinition[] = [];
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  #position: LogPosition | undefined;

  /** `entities` may change in place; `maxRows`: of the bounded ones together. */
  constructor(entities: readonly EntityDefinition[], maxRows: number) {
    this.#entities = entities;
    this.#cache = new RowCache([], { maxRows, maxMisses: MAX_MISSES });
  }

  /** Entities known whole. */
  get whole(): readonly EntityDefinition[] {
    return this.#entities.filter(({ name }) => isSnapshotEntity(name));
  }

  /** Entities of which only some rows may be known. */
  get bounded(): readonly EntityDefinition[] {
    const bounded = this.#entities.filter(({ name }) => !isSnapshotEntity(name));
    if (bounded.length !== this.#cached.length || bounded.some((entity, at) => entity !== this.#cached[at])) {
      this.#follow(bounded);
    }
    return this.#cached;
  }

  /** Bounded entities that have come since everything was read. */
  get unread(): readonly EntityDefinition[] {
    return this.bounded.filter((entity) => this.#unread.includes(entity));
  }

  /** All rows of some bounded entities, or those that were read of them. */
  replaceBounded({ rows, complete }: Omit<WholeReading, 'position'>): void {
    for (const { name } of this.bounded) {
      const read = rows.get(name);
      if (read === undefined) continue;
      const held = read.map((row) => this.#cache.hold(row));
      this.#cache.replaceAll(name, held, complete.has(name));
    }
    this.#unread = this.#unread.filter(({ name }) => !rows.has(name));
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Where in the log of changes it stands; undefined until something was read from the database. */
  get position(): LogPosition | undefined {
    return this.#position;
  }

  /** Ids of held rows by last use, the latest at the end. */
  listHeldIds(entity: string): readonly string[] {
    return this.#cache.listIds(entity);
  }

  replace({ position, rows, complete }: WholeReading): void {
    this.replaceBounded({ rows, complete });
    this.#snapshot = {
      version: this.#snapshot.version + 1,
      sequence: position.sequence,
      ...forEachEntity<SnapshotLists>((name) => (rows.get(name) ?? []) as never),
    };
    this.#position = position;
  }

  apply(excerpt: LogExcerpt): ConfigurationUpdate {
    for (const { name } of this.bounded) {
      const changes = describeRowChanges(name, excerpt);
      if (changes.length > 0) this.#cache.apply(name, changes);
    }
    const delta = describeDelta(this.#snapshot, excerpt);
    this.#snapshot = applyDelta(this.#snapshot, delta);
    this.#position = excerpt.position;
    return {
      delta,
      invalidations: describeInvalidations(excerpt.changes),
      events: listEvents(excerpt.changes),
    };
  }

  /** What is to be kept on disk; undefined until something was read from the database. */
  describe(): Omit<SavedConfiguration, 'database'> | undefined {
    if (this.#position === undefined) return undefined;
    const held = this.bounded.map(({ name }) => {
      const rows = this.#cache.listRows(name);
      return [name, { isComplete: this.#cache.isComplete(name), rows }] as const;
    });
    return { position: this.#position, snapshot: this.#snapshot, held: new Map(held) };
  }

  /** Takes over what was on the disk, which may be behind the database. */
  restore(saved: SavedConfiguration): void {
    this.restoreRows(saved);
    this.#snapshot = { ...saved.snapshot, version: this.#snapshot.version + 1 };
  }

  /** Only the rows of bounded entities. */
  restoreRows({ held }: SavedConfiguration): void {
    for (const { name } of this.bounded) {
      const saved = held.get(name);
      if (saved !== undefined) this.#cache.replaceAll(name, saved.rows, saved.isComplete);
    }
  }

  /** The row whose unique field has this value, or null; `load` is called for what is not known. */
  async find(
    entityName: string,
    field: string,
    value: string,
    load: (entity: EntityDefinition) => Promise<CachedRow | undefined>,
  ): Promise<CachedRow | null> {
    const entity = [...this.whole, ...this.bounded].find(({ name }) => name === entityName);
    if (entity === undefined) throw new Error(`there is no entity '${entityName}'`);
    if (field !== 'id' && !listUniqueFields(entity).includes(field)) {
      throw new Error(`'${field}' is not a unique field of ${entityName}`);
    }
    if (isSnapshotEntity(entityName)) return findInSnapshot(this.#snapshot, entityName, field, value);
    return this.#cache.find(entityName, field, value, () => load(entity));
  }

  /** All rows whose reference `field` is to this parent; `load` is called for what is not known. */
  async list(
    entityName: string,
    field: string,
    parentId: string,
    load: (entity: EntityDefinition) => Promise<readonly CachedRow[]>,
  ): Promise<readonly CachedRow[]> {
    const entity = this.bounded.find(({ name }) => name === entityName);
    if (entity === undefined) throw new Error(`rows of '${entityName}' cannot be listed`);
    return this.#cache.list(entityName, field, parentId, () => load(entity));
  }

  /** A declaration that has changed is another entity: rows are read by it. */
  #follow(bounded: readonly EntityDefinition[]): void {
    for (const entity of this.#cached) if (!bounded.includes(entity)) this.#cache.drop(entity.name);
    const added = bounded.filter((entity) => !this.#cached.includes(entity));
    for (const entity of added) {
      const { name, listedBy = [] } = entity;
      this.#cache.add({ name, uniqueFields: listUniqueFields(entity), listedBy });
    }
    this.#cached = bounded;
    this.#unread = [...this.#unread, ...added];
  }
}

function isSnapshotEntity(name: string): name is SnapshotEntity {
  return (SNAPSHOT_ENTITIES as readonly string[]).includes(name);
}
