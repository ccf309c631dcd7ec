/** Upstreams and their targets, and events in the log of changes, such as an operator's word on a target's health. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('upstreams')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('name', 'text')
    .addColumn('algorithm', 'text')
    .addColumn('hash_on', 'text')
    .addColumn('hash_fallback', 'text')
    .addColumn('hash_on_header', 'text')
    .addColumn('hash_fallback_header', 'text')
    .addColumn('hash_on_cookie', 'text')
    .addColumn('hash_on_cookie_path', 'text')
    .addColumn('hash_on_query_arg', 'text')
    .addColumn('hash_fallback_query_arg', 'text')
    .addColumn('hash_on_uri_capture', 'text')
    .addColumn('hash_fallback_uri_capture', 'text')
    .addColumn('slots', 'bigint')
    .addColumn('healthchecks', 'jsonb')
    .addColumn('tags', sql`text[]`)
    .addColumn('host_header', 'text')
    .addColumn('client_certificate_id', 'uuid')
    .addColumn('use_srv_name', 'boolean')
    .addUniqueConstraint('upstreams_name_key', ['name'])
    .execute();

  await db.schema
    .createTable('targets')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'double precision')
    .addColumn('updated_at', 'double precision')
    .addColumn('upstream_id', 'uuid')
    .addColumn('target', 'text')
    .addColumn('weight', 'bigint')
    .addColumn('tags', sql`text[]`)
    .addColumn('cache_key', 'text')
    .addUniqueConstraint('targets_cache_key_key', ['cache_key'])
    .addForeignKeyConstraint('targets_upstream_fkey', ['upstream_id'], 'upstreams', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute();

  await db.schema.createIndex('targets_upstream_id_idx').on('targets').column('upstream_id').execute();
  for (const table of ['upstreams', 'targets']) {
    await db.schema.createIndex(`${table}_tags_idx`).on(table).using('gin').column('tags').execute();
  }
  await sql`select track_changes('upstreams', array['name'])`.execute(db);
  await sql`select track_changes('targets', array[]::text[])`.execute(db);

  // Something that nodes are to hear of although no row has changed: a place in the log like any other.
  await sql`
    create function record_event(kind text, subject uuid, details text[]) returns void language plpgsql
      set search_path from current as $$
    declare
      newest bigint;
    begin
      perform pg_advisory_xact_lock(8237412950134);
      insert into changes (entity, operation, id, keys) values (kind, 'event', subject, details)
        returning sequence into newest;
      perform pg_notify('tollgate_changes', newest::text);
    end $$`.execute(db);
}
