/** `kong.entities`: rows of the configuration. */

export interface EntityReader {
  /**
   * The row whose unique `field` is `value`, or undefined. The capability `entities` must list the entity.
   * Hits and misses are cached in the isolate and dropped when the row changes. Await it: a cached row comes at
   * once, another after one host call, which rejects when the store cannot be asked. Phases: access.
   */
  find<Row extends { readonly id: string }>(
    entity: string,
    field: string,
    value: string,
  ): Row | undefined | Promise<Row | undefined>;

  /**
   * All rows whose reference `field` is to the row with this id, such as the groups of a consumer:
   * `list('acls', 'consumer', consumer.id)`. In no particular order; empty when there are none. Only references that
   * the entity is declared to be listed by; otherwise, and beyond 10000 rows, it rejects. Capability, cache and waiting
   * are those of `find`. Phases: access.
   */
  list<Row extends { readonly id: string }>(
    entity: string,
    field: string,
    id: string,
  ): readonly Row[] | Promise<readonly Row[]>;
}
