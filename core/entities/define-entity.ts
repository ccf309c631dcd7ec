/**
 * What an entity is: one declaration from which its type, validation, SQL, Admin endpoints, form decoding and
 * `/schemas` document follow. Knows nothing of databases or HTTP.
 */
import type { EntityCheck, FieldDefinition, FieldMap } from '../../sdk/schema/fields.ts';

/** A field that only exists on input and is turned into others, such as `url` of a service. */
export interface InputShorthand {
  readonly field: FieldDefinition;
  /** Returns the members to overwrite. `value` has passed `field`'s own validation. */
  expand(value: unknown): Readonly<Record<string, unknown>>;
}

/** The outcome of a rule written in code: texts by field, `@entity` holding a list. Empty when all is well. */
export type RuleErrors = Readonly<Record<string, unknown>>;

export type Specialisation =
  | { readonly ok: true; readonly definition: EntityDefinition }
  | { readonly ok: false; readonly errors: RuleErrors };

/** A row as it is to be stored, or why it cannot be. */
export type StoredForm =
  | { readonly ok: true; readonly row: EntityRow }
  | { readonly ok: false; readonly errors: RuleErrors };

export interface EntityDefinition {
  /** Schema and table name, e.g. `keyauth_credentials`. */
  readonly name: string;
  /** Path of the collection without slashes, e.g. `key-auths`. */
  readonly adminName: string;
  /** Path of the collection below each parent it refers to, by foreign field, e.g. `{ consumer: 'key-auth' }`. */
  readonly nestedNames: Readonly<Record<string, string>>;
  /**
   * The field usable in URLs instead of the id below a parent, by foreign field, where it is unique only together
   * with that parent (`uniqueTogether`), e.g. `{ consumer: 'group' }`.
   */
  readonly nestedKeys?: Readonly<Record<string, string>>;
  /** Has no paths of its own: its rows are reached below their parents alone. */
  readonly isNestedOnly?: boolean;
  /** The unique string field usable in URLs instead of the id. Absent: id only. */
  readonly endpointKey?: string;
  /** Fields in the order `/schemas` shows them, `id` first. */
  readonly fields: FieldMap;
  readonly checks: readonly EntityCheck[];
  /**
   * Rules that `checks` cannot say (route protocols and their attributes). Runs on the complete entity even when
   * fields are in error, since all errors are reported together: it must bear values of any type.
   */
  readonly rules?: (row: EntityRow, operation: 'insert' | 'update' | 'upsert') => RuleErrors;
  /** Adjusts a complete entity before validation (upstream algorithm and hash_on). */
  readonly normalise?: (row: EntityRow, input: Readonly<Record<string, unknown>>) => EntityRow;
  /**
   * Makes of a valid row what is stored, where that is another thing than was sent: a hash of a password. `given` is
   * what the request named, `previous` the row that a PATCH changes.
   */
  readonly toStored?: (
    row: EntityRow,
    given: Readonly<Record<string, unknown>>,
    previous: EntityRow | undefined,
  ) => StoredForm;
  /**
   * Turns the definition into that of one kind of row, which decides defaults and fields: a plugin's `config` by its
   * `name`, a route's `strip_path` by its `protocols`. Given what is known of the row so far. Errors end the validation.
   */
  readonly specialise?: (input: Readonly<Record<string, unknown>>) => Specialisation;
  readonly shorthands: Readonly<Record<string, InputShorthand>>;
  /** Several fields unique together, nulls counting as a value: plugins' (name, route, service, consumer). */
  readonly uniqueTogether?: readonly string[];
  /**
   * Foreign fields by which requests look all rows of a parent up at once. The log of changes has to name their
   * columns (`track_changes` of migration 0003).
   */
  readonly listedBy?: readonly string[];
  /** Rows may expire: `ttl` seconds on input, seconds left on output. */
  readonly hasTtl: boolean;
  /** Of a published package: its rows lie in the table that all such entities share (store/document-columns.ts). */
  readonly published?: {
    /** The database lets nobody write by another one. */
    readonly revision: number;
    readonly hasEndpoints: boolean;
  };
}

/** A row as the Admin API shows it: every field present, references as `{ id }`, times in unix seconds. */
export type EntityRow = Readonly<Record<string, unknown>> & { readonly id: string };

/** Keeps literal types of a declaration while checking its shape. */
export function defineEntity<const Definition extends EntityDefinition>(definition: Definition): Definition {
  return definition;
}
