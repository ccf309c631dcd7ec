/** Where a published package runs: in a process of its own, unless an operator trusts it with the worker. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('plugin_packages')
    .addColumn('isolation', 'text', (column) => column.notNull().defaultTo('process'))
    .execute();
}
