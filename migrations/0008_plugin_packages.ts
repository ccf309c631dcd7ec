/** Packages of plugins that were published while the gateway ran: their versions, and which of them are in use. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_versions')
    .addColumn('digest', 'text', (column) => column.primaryKey())
    .addColumn('package', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    // Texts, not JSON: the digest is over their very characters.
    .addColumn('manifest', 'text', (column) => column.notNull())
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('source_map', 'text', (column) => column.notNull())
    .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`clock_timestamp()`))
    .execute();
  await db.schema
    .createIndex('plugin_versions_package_idx')
    .on('plugin_versions')
    .columns(['package', 'created_at'])
    .execute();
  await db.schema
    .createTable('plugin_packages')
    .addColumn('id', 'uuid', (column) => column.primaryKey().defaultTo(sql`gen_random_uuid()`))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('active_digest', 'text', (column) => column.notNull().references('plugin_versions.digest'))
    .addColumn('previous_digest', 'text', (column) => column.references('plugin_versions.digest'))
    .addColumn('percent', 'integer', (column) => column.notNull().defaultTo(100))
    .addColumn('on_error', 'text', (column) => column.notNull().defaultTo('fail'))
    .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`clock_timestamp()`))
    .execute();
  await sql`select track_changes('plugin_packages', array['name'])`.execute(db);
}
