/** `kong.entities`: rows of the configuration. */

export interface EntityReader {
  /**
   * The row whose unique `field` is `value`, or undefined. The capability `entities` must list the entity.
   * Hits and misses are cached in the isolate and dropped when the row changes; one host call otherwise.
   * Rejects when the store cannot be asked. Phases: access.
   */
  find<Row extends { readonly id: string }>(
    entity: string,
    field: string,
    value: string,
  ): Promise<Row | undefined>;
}
