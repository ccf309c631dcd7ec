/** Certificates, the server names they are for, and those of authorities. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('certificates')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('cert', 'text')
    .addColumn('key', 'text')
    .addColumn('cert_alt', 'text')
    .addColumn('key_alt', 'text')
    .addColumn('tags', sql`text[]`)
    .execute();
  await db.schema
    .createTable('snis')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('tags', sql`text[]`)
    .addColumn('certificate_id', 'uuid')
    .addUniqueConstraint('snis_name_key', ['name'])
    .addForeignKeyConstraint('snis_certificate_fkey', ['certificate_id'], 'certificates', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute();
  await db.schema.createIndex('snis_certificate_id_idx').on('snis').column('certificate_id').execute();
  await db.schema
    .createTable('ca_certificates')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('cert', 'text')
    .addColumn('cert_digest', 'text')
    .addColumn('tags', sql`text[]`)
    .addUniqueConstraint('ca_certificates_cert_digest_key', ['cert_digest'])
    .execute();
  for (const table of ['certificates', 'snis', 'ca_certificates']) {
    await db.schema.createIndex(`${table}_tags_idx`).on(table).using('gin').column('tags').execute();
  }
  // There was nothing to refer to before.
  for (const table of ['services', 'upstreams']) {
    await sql`update ${sql.table(table)} set client_certificate_id = null
      where client_certificate_id is not null`.execute(db);
    await db.schema
      .alterTable(table)
      .addForeignKeyConstraint(
        `${table}_client_certificate_fkey`,
        ['client_certificate_id'],
        'certificates',
        ['id'],
        (key) => key.onDelete('restrict'),
      )
      .execute();
    await db.schema
      .createIndex(`${table}_client_certificate_id_idx`)
      .on(table)
      .column('client_certificate_id')
      .execute();
  }
  await sql`select track_changes('certificates', array[]::text[])`.execute(db);
  await sql`select track_changes('snis', array['name'])`.execute(db);
  await sql`select track_changes('ca_certificates', array['cert_digest'])`.execute(db);
}
