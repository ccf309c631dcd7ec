/** API keys of consumers. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('keyauth_credentials')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('consumer_id', 'uuid')
    .addColumn('key', 'text')
    .addColumn('tags', sql`text[]`)
    .addColumn('expires_at', 'timestamptz')
    .addUniqueConstraint('keyauth_credentials_key_key', ['key'])
    .addForeignKeyConstraint(
      'keyauth_credentials_consumer_fkey',
      ['consumer_id'],
      'consumers',
      ['id'],
      (key) => key.onDelete('cascade'),
    )
    .execute();
  for (const column of ['consumer_id', 'expires_at']) {
    await db.schema
      .createIndex(`keyauth_credentials_${column}_idx`)
      .on('keyauth_credentials')
      .column(column)
      .execute();
  }
  await db.schema
    .createIndex('keyauth_credentials_tags_idx')
    .on('keyauth_credentials')
    .using('gin')
    .column('tags')
    .execute();
}
