/** Groups of consumers. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('acls')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('consumer_id', 'uuid')
    .addColumn('group', 'text')
    .addColumn('tags', sql`text[]`)
    .addColumn('cache_key', 'text')
    .addUniqueConstraint('acls_cache_key_key', ['cache_key'])
    .addForeignKeyConstraint('acls_consumer_fkey', ['consumer_id'], 'consumers', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute();
  await db.schema.createIndex('acls_consumer_id_idx').on('acls').column('consumer_id').execute();
  await db.schema.createIndex('acls_tags_idx').on('acls').using('gin').column('tags').execute();
  // All groups of a consumer are looked up together: a change to one of them names the consumer before and after it.
  await sql`select track_changes('acls', array['consumer_id'])`.execute(db);
}
