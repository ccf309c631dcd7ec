/** Counters of the rate-limiting policy `cluster`. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ratelimiting_metrics')
    .addColumn('identifier', 'text', (column) => column.notNull())
    .addColumn('period', 'text', (column) => column.notNull())
    .addColumn('period_date', 'timestamptz', (column) => column.notNull())
    .addColumn('service_id', 'uuid', (column) =>
      column.notNull().defaultTo('00000000-0000-0000-0000-000000000000'),
    )
    .addColumn('route_id', 'uuid', (column) =>
      column.notNull().defaultTo('00000000-0000-0000-0000-000000000000'),
    )
    .addColumn('value', 'bigint', (column) => column.notNull())
    .addColumn('ttl', 'timestamptz')
    .addPrimaryKeyConstraint('ratelimiting_metrics_pkey', [
      'identifier',
      'period',
      'period_date',
      'service_id',
      'route_id',
    ])
    .execute();
  // Rows are counted in far more often than they are made: room beside them keeps new versions on the same page.
  await sql`alter table ratelimiting_metrics set (fillfactor = 70)`.execute(db);
  await db.schema
    .createIndex('ratelimiting_metrics_ttl_idx')
    .on('ratelimiting_metrics')
    .column('ttl')
    .execute();
}
