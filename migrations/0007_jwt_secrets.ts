/** Keys by which consumers sign tokens. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jwt_secrets')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('consumer_id', 'uuid')
    .addColumn('key', 'text')
    .addColumn('secret', 'text')
    .addColumn('rsa_public_key', 'text')
    .addColumn('algorithm', 'text')
    .addColumn('tags', sql`text[]`)
    .addUniqueConstraint('jwt_secrets_key_key', ['key'])
    .addForeignKeyConstraint('jwt_secrets_consumer_fkey', ['consumer_id'], 'consumers', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('jwt_secrets_consumer_id_idx')
    .on('jwt_secrets')
    .column('consumer_id')
    .execute();
  await db.schema.createIndex('jwt_secrets_tags_idx').on('jwt_secrets').using('gin').column('tags').execute();
  await sql`select track_changes('jwt_secrets', array['key'])`.execute(db);
}
