/** The migrations of this build. A new one is added at the end; a released one never changes. */
import type { Kysely } from 'kysely';
import * as coreEntities from '../../migrations/0001_core_entities.ts';
import * as keyAuthCredentials from '../../migrations/0002_key_auth_credentials.ts';
import * as changeLog from '../../migrations/0003_change_log.ts';
import * as rateLimitingMetrics from '../../migrations/0004_rate_limiting_metrics.ts';
import * as acls from '../../migrations/0005_acls.ts';
import * as basicAuthCredentials from '../../migrations/0006_basic_auth_credentials.ts';
import * as jwtSecrets from '../../migrations/0007_jwt_secrets.ts';
import * as pluginPackages from '../../migrations/0008_plugin_packages.ts';
import * as upstreams from '../../migrations/0009_upstreams.ts';
import * as packageEntities from '../../migrations/0010_package_entities.ts';
import * as pluginIsolation from '../../migrations/0011_plugin_isolation.ts';
import * as certificates from '../../migrations/0012_certificates.ts';

/**
 * A change of the schema in two phases. `up` only adds, so that nodes of the version before serve on while it runs and
 * after it. `finish` takes away what only they needed, and runs when the operator says that they are gone.
 */
export interface SchemaMigration {
  up(db: Kysely<unknown>): Promise<void>;
  finish?(db: Kysely<unknown>): Promise<void>;
}

/** By name, in the order they run, which is that of the names. */
export type MigrationList = Readonly<Record<string, SchemaMigration>>;

export const MIGRATIONS: MigrationList = {
  '0001_core_entities': coreEntities,
  '0002_key_auth_credentials': keyAuthCredentials,
  '0003_change_log': changeLog,
  '0004_rate_limiting_metrics': rateLimitingMetrics,
  '0005_acls': acls,
  '0006_basic_auth_credentials': basicAuthCredentials,
  '0007_jwt_secrets': jwtSecrets,
  '0008_plugin_packages': pluginPackages,
  '0009_upstreams': upstreams,
  '0010_package_entities': packageEntities,
  '0011_plugin_isolation': pluginIsolation,
  '0012_certificates': certificates,
};
