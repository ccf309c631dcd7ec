/** Host → guest: rows of a package's entity to be brought from one revision to another. */

export interface MigrationOrder {
  readonly entity: string;
  /** Revision of the rows. */
  readonly from: number;
  /** Revision they are to have; lower than `from` on the way back. */
  readonly to: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** For each row, in their order, what became of it or why nothing did. */
export type MigrationOutcome =
  | { readonly row: Readonly<Record<string, unknown>> }
  | { readonly error: string };
