/**
 * Reading and writing entities, whatever they are. The only door to the configuration in the database;
 * implemented over Kysely by create-entity-store.ts. Rows go in validated and complete, and come out as the
 * Admin API shows them.
 */
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';

export interface PageQuery {
  /** 1…1000. */
  readonly size: number;
  /** Opaque; as returned by the page before. Throws EntityError 7 when it is not one of ours. */
  readonly offset?: string;
  /** Tags that must all (`and`) or any (`or`) be present. */
  readonly tags?: { readonly mode: 'and' | 'or'; readonly values: readonly string[] };
  /** Only the children of a parent, e.g. `{ field: 'service', id }`. */
  readonly parent?: { readonly field: string; readonly id: string };
}

export interface Page {
  readonly rows: readonly EntityRow[];
  /** Absent on the last page. */
  readonly offset?: string;
}

export interface TagRow {
  readonly entity_name: string;
  readonly entity_id: string;
  readonly tag: string;
}

/** Something that nodes are to act on once. One that starts later never hears of it. */
export interface NodeEvent {
  readonly kind: 'target_health';
  /** Id of the row it is about. */
  readonly subject: string;
  /** `name=value` each. */
  readonly details: readonly string[];
}

/**
 * Every method may throw StoreUnavailableError. Writes throw EntityError 3 (id taken), 4 (reference to nothing,
 * or still referred to) and 5 (unique clash), and those to entities of published packages StaleEntityError.
 */
export interface EntityStore {
  selectById(entity: EntityDefinition, id: string): Promise<EntityRow | undefined>;
  /** `field` is unique (endpoint key, or e.g. consumers.custom_id). Expired rows are invisible everywhere. */
  selectByUnique(entity: EntityDefinition, field: string, value: string): Promise<EntityRow | undefined>;
  /** By the fields of `uniqueTogether`, all of which `members` has to give; references as `{ id }`. */
  selectByUniqueTogether(
    entity: EntityDefinition,
    members: Readonly<Record<string, unknown>>,
  ): Promise<EntityRow | undefined>;
  page(entity: EntityDefinition, query: PageQuery): Promise<Page>;
  /** Every row, ordered by id: for snapshots. */
  all(entity: EntityDefinition): Promise<readonly EntityRow[]>;
  /** `ttlSeconds`: undefined leaves the expiry unset. */
  insert(entity: EntityDefinition, row: EntityRow, ttlSeconds?: number): Promise<EntityRow>;
  /** Replaces the whole row with this id. Throws EntityError 6 when there is none. `ttlSeconds` undefined keeps the expiry. */
  update(entity: EntityDefinition, row: EntityRow, ttlSeconds?: number): Promise<EntityRow>;
  /** Inserts, or replaces the row with the same id. `ttlSeconds` undefined clears the expiry. */
  upsert(entity: EntityDefinition, row: EntityRow, ttlSeconds?: number): Promise<EntityRow>;
  /** False when there was none. Cascades as the foreign fields' `on_delete` says. */
  delete(entity: EntityDefinition, id: string): Promise<boolean>;
  tags(
    query: PageQuery & { readonly tag?: string },
  ): Promise<{ readonly rows: readonly TagRow[]; readonly offset?: string }>;
  /** Leaves no row: all nodes hear of it where they read of changes. */
  announce(event: NodeEvent): Promise<void>;
  /** Resolves when the database answers; throws StoreUnavailableError otherwise. */
  ping(): Promise<void>;
}
