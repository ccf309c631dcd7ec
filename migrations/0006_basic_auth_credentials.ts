/** Usernames of consumers, and their passwords as hashes. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('basicauth_credentials')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('consumer_id', 'uuid')
    .addColumn('username', 'text')
    .addColumn('password', 'text')
    .addColumn('tags', sql`text[]`)
    .addUniqueConstraint('basicauth_credentials_username_key', ['username'])
    .addForeignKeyConstraint(
      'basicauth_credentials_consumer_fkey',
      ['consumer_id'],
      'consumers',
      ['id'],
      (key) => key.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('basicauth_credentials_consumer_id_idx')
    .on('basicauth_credentials')
    .column('consumer_id')
    .execute();
  await db.schema
    .createIndex('basicauth_credentials_tags_idx')
    .on('basicauth_credentials')
    .using('gin')
    .column('tags')
    .execute();
  await sql`select track_changes('basicauth_credentials', array['username'])`.execute(db);
}
