/** `tollgate migrations …`: one action on the database the settings name, told in a few lines. */
import type { MigrationAction } from './parse-command.ts';
import type { Settings } from './settings/load-settings.ts';
import { locateDatabase } from './settings/locate-database.ts';
import { closeDatabase, type Database, openDatabase } from './store/database.ts';
import { bootstrap, migrateUp, migrationStatus } from './store/migrator.ts';

/** Returns the lines to print. Throws when the database cannot be reached or belongs to a newer version. */
export async function runMigrationAction(
  action: MigrationAction,
  settings: Settings,
): Promise<readonly string[]> {
  const database = await openDatabase(locateDatabase(settings));
  try {
    return await ACTIONS[action](database);
  } finally {
    await closeDatabase(database);
  }
}

const ACTIONS: Readonly<Record<MigrationAction, (database: Database) => Promise<readonly string[]>>> = {
  bootstrap: async (database) => describeRun(await bootstrap(database)),
  up: async (database) => describeRun(await migrateUp(database)),
  status: async (database) => {
    const { executed, pending, unknown } = await migrationStatus(database);
    const known = executed.filter((name) => !unknown.includes(name));
    return [
      ...known.map((name) => `${name}: done`),
      ...pending.map((name) => `${name}: pending`),
      ...unknown.map((name) => `${name}: done by a newer version`),
    ];
  },
};

function describeRun(names: readonly string[]): readonly string[] {
  return names.length === 0 ? ['nothing to do'] : names.map((name) => `${name}: done`);
}
