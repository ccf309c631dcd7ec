/** The failures of storing and validating entities, numbered as the Admin API shows them (contract/admin-api.md section 4). */

export const ENTITY_ERROR_NAMES = {
  1: 'invalid primary key',
  2: 'schema violation',
  3: 'primary key violation',
  4: 'foreign key violation',
  5: 'unique constraint violation',
  6: 'not found',
  7: 'invalid offset',
  9: 'invalid size',
  10: 'invalid unique',
  11: 'invalid options',
  12: 'operation unsupported',
  13: 'foreign keys unresolved',
  14: 'invalid declarative configuration',
  19: 'referenced by others',
} as const;

export type EntityErrorCode = keyof typeof ENTITY_ERROR_NAMES;

/** A refusal with the body the Admin API answers: `{code, name, message, fields?, options?}`. */
export class EntityError extends Error {
  readonly code: EntityErrorCode;
  /** Differs from the table only for code 10, which carries the field: `invalid unique name`. */
  readonly errorName: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  readonly options: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: EntityErrorCode,
    message: string,
    extra: {
      readonly name?: string;
      readonly fields?: Readonly<Record<string, unknown>>;
      readonly options?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'EntityError';
    this.code = code;
    this.errorName = extra.name ?? ENTITY_ERROR_NAMES[code];
    this.fields = extra.fields;
    this.options = extra.options;
  }
}

/** The database cannot be reached or refused the work for reasons of its own; the Admin API answers 503. */
export class StoreUnavailableError extends Error {
  constructor(cause: unknown, message = 'the database is not reachable') {
    super(message, { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** Another node has begun to serve another version of the entity's package; this one hears of it in a moment. */
export class StaleEntityError extends Error {
  constructor(entity: string, cause: unknown) {
    super(`the package of '${entity}' is being changed: try again`, { cause });
    this.name = 'StaleEntityError';
  }
}
