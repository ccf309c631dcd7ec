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
}
