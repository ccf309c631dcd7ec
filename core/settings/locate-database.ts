/** Where the settings say the database is, in the words in which the store opens it. */
import { join } from 'node:path';
import type { Settings } from './setting-table.ts';

export type DatabaseLocation =
  | { readonly kind: 'embedded'; readonly dataDir: string }
  | { readonly kind: 'postgres'; readonly connectionString: string }
  | {
      readonly kind: 'postgres';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password?: string;
      readonly database: string;
      readonly ssl: boolean | 'verify';
    };

/** The embedded database's folder inside `data_dir`, beside what else the node keeps there. */
const EMBEDDED_FOLDER = 'database';

const SNAPSHOT_FILE = 'configuration.snapshot';
const PACKAGES_FILE = 'plugin-packages.snapshot';

/** DATABASE_URL wins over the `pg_…` settings. */
export function locateDatabase(settings: Settings): DatabaseLocation {
  if (settings.database === 'embedded') {
    return { kind: 'embedded', dataDir: join(settings.dataDir, EMBEDDED_FOLDER) };
  }
  if (settings.databaseUrl !== undefined) {
    return { kind: 'postgres', connectionString: settings.databaseUrl };
  }
  return {
    kind: 'postgres',
    host: settings.pgHost,
    port: settings.pgPort,
    user: settings.pgUser,
    ...(settings.pgPassword !== undefined && { password: settings.pgPassword }),
    database: settings.pgDatabase,
    ssl: settings.pgSsl && settings.pgSslVerify ? 'verify' : settings.pgSsl,
  };
}

/** The file in which a node with an external database keeps what it knows of the configuration. */
export function locateSnapshotFile(settings: Pick<Settings, 'snapshotDir' | 'dataDir'>): string {
  return join(settings.snapshotDir ?? settings.dataDir, SNAPSHOT_FILE);
}

/** The file beside it in which such a node keeps the published packages. */
export function locatePackagesFile(settings: Pick<Settings, 'snapshotDir' | 'dataDir'>): string {
  return join(settings.snapshotDir ?? settings.dataDir, PACKAGES_FILE);
}
