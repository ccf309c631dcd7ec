/** Services, routes, consumers and plugins. */
import { type Kysely, sql } from 'kysely';

const TAGGED_TABLES = ['services', 'routes', 'consumers', 'plugins'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('services')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('name', 'text')
    .addColumn('retries', 'bigint')
    .addColumn('protocol', 'text')
    .addColumn('host', 'text')
    .addColumn('port', 'bigint')
    .addColumn('path', 'text')
    .addColumn('connect_timeout', 'bigint')
    .addColumn('write_timeout', 'bigint')
    .addColumn('read_timeout', 'bigint')
    .addColumn('tags', sql`text[]`)
    .addColumn('client_certificate_id', 'uuid')
    .addColumn('tls_verify', 'boolean')
    .addColumn('tls_verify_depth', 'bigint')
    .addColumn('ca_certificates', sql`text[]`)
    .addColumn('enabled', 'boolean')
    .addUniqueConstraint('services_name_key', ['name'])
    .execute();

  await db.schema
    .createTable('routes')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('name', 'text')
    .addColumn('protocols', sql`text[]`)
    .addColumn('methods', sql`text[]`)
    .addColumn('hosts', sql`text[]`)
    .addColumn('paths', sql`text[]`)
    .addColumn('headers', 'jsonb')
    .addColumn('https_redirect_status_code', 'bigint')
    .addColumn('regex_priority', 'bigint')
    .addColumn('strip_path', 'boolean')
    .addColumn('path_handling', 'text')
    .addColumn('preserve_host', 'boolean')
    .addColumn('request_buffering', 'boolean')
    .addColumn('response_buffering', 'boolean')
    .addColumn('tags', sql`text[]`)
    .addColumn('service_id', 'uuid')
    .addColumn('snis', sql`text[]`)
    .addColumn('sources', 'jsonb')
    .addColumn('destinations', 'jsonb')
    .addUniqueConstraint('routes_name_key', ['name'])
    .addForeignKeyConstraint('routes_service_fkey', ['service_id'], 'services', ['id'], (key) =>
      key.onDelete('restrict'),
    )
    .execute();

  await db.schema
    .createTable('consumers')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('username', 'text')
    .addColumn('custom_id', 'text')
    .addColumn('tags', sql`text[]`)
    .addUniqueConstraint('consumers_username_key', ['username'])
    .addUniqueConstraint('consumers_custom_id_key', ['custom_id'])
    .execute();

  await db.schema
    .createTable('plugins')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('instance_name', 'text')
    .addColumn('created_at', 'bigint')
    .addColumn('updated_at', 'bigint')
    .addColumn('route_id', 'uuid')
    .addColumn('service_id', 'uuid')
    .addColumn('consumer_id', 'uuid')
    .addColumn('config', 'jsonb')
    .addColumn('protocols', sql`text[]`)
    .addColumn('enabled', 'boolean')
    .addColumn('tags', sql`text[]`)
    .addColumn('cache_key', 'text')
    .addUniqueConstraint('plugins_instance_name_key', ['instance_name'])
    .addUniqueConstraint('plugins_cache_key_key', ['cache_key'])
    .addForeignKeyConstraint('plugins_route_fkey', ['route_id'], 'routes', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .addForeignKeyConstraint('plugins_service_fkey', ['service_id'], 'services', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .addForeignKeyConstraint('plugins_consumer_fkey', ['consumer_id'], 'consumers', ['id'], (key) =>
      key.onDelete('cascade'),
    )
    .execute();

  const references = [
    ['routes', 'service_id'],
    ['plugins', 'route_id'],
    ['plugins', 'service_id'],
    ['plugins', 'consumer_id'],
  ] as const;
  for (const [table, column] of references) {
    await db.schema.createIndex(`${table}_${column}_idx`).on(table).column(column).execute();
  }
  for (const table of TAGGED_TABLES) {
    await db.schema.createIndex(`${table}_tags_idx`).on(table).using('gin').column('tags').execute();
  }
}
