/** Entities of a plugin's own: rows that operators manage through the Admin API, such as credentials. */
import type { EntityCheck, FieldMap } from './schema/fields.ts';
import type { InferConfig } from './schema/infer.ts';

/** A row as migrations see it: the members of its fields, and `id`. */
export type MigratedRow = Readonly<Record<string, unknown>>;

/**
 * From one revision of an entity to the next. Run once for each stored row when a version with it is published, in a
 * process that has nothing else; a throw refuses the version.
 */
export interface EntityMigration {
  /** Revision of the rows it is given: the first migration has 1, the next 2, and so on. */
  readonly from: number;
  up(row: MigratedRow): MigratedRow;
  /** The way back, for a rollback. Without it the version before finds what it has stored itself. */
  down?(row: MigratedRow): MigratedRow;
}

/** What `defineEntity` takes. */
export interface EntityDefinition<Fields extends FieldMap = FieldMap> {
  /** Lower case letters, digits and `_`, of no other entity of the gateway. */
  readonly name: string;
  /**
   * Besides `id`, `created_at` and `updated_at`, which all rows have. `unique` is for texts: rows can be looked up by
   * them. References are to `consumers`, `services` or `routes`, one to each, and a row goes with what it refers to.
   */
  readonly fields: Fields;
  /** The unique field that stands in paths of the Admin API instead of the id. */
  readonly endpointKey?: string;
  /** Path of the collection. Default: the name. */
  readonly adminApiName?: string;
  /** The same below a parent: `/consumers/{consumer}/…`. Default: `adminApiName`. */
  readonly adminApiNestedName?: string;
  /** Default true. False: rows can be neither seen nor made. */
  readonly generateAdminApi?: boolean;
  /** Rules across fields. */
  readonly checks?: readonly EntityCheck[];
  /** Whether rows bear tags. Default false. */
  readonly tags?: boolean;
  /** Whether rows may expire: `ttl` in seconds. Default false. */
  readonly ttl?: boolean;
  readonly migrations?: readonly EntityMigration[];
}

/**
 * Declares an entity, for the `entities` of a plugin. Does nothing but carry types.
 *
 * @example
 * const licences = defineEntity({
 *   name: 'licences', endpointKey: 'key',
 *   fields: { consumer: s.foreign('consumers', { required: true }), key: s.string({ unique: true, auto: true }) },
 * });
 */
export function defineEntity<const Fields extends FieldMap>(
  definition: EntityDefinition<Fields>,
): EntityDefinition<Fields> {
  return definition;
}

/** A row of an entity, as `kong.entities` returns it. */
export type InferEntity<Definition> =
  Definition extends EntityDefinition<infer Fields>
    ? InferConfig<{ readonly fields: Fields }> &
        GeneratedTexts<Fields> & {
          readonly id: string;
          readonly created_at: number;
          readonly updated_at: number;
        }
    : never;

/** Those that nobody has given are made up, so they are always there. */
type GeneratedTexts<Fields> = {
  readonly [Name in keyof Fields as Fields[Name] extends { readonly auto: true } ? Name : never]: string;
};
