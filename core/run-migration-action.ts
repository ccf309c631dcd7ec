/** `tollgate migrations …`: one action on the database the settings name, told in a few lines. */
import type { MigrationAction } from './parse-command.ts';
import type { Settings } from './settings/load-settings.ts';
import { locateDatabase } from './settings/locate-database.ts';
import { closeDatabase, type Database, openDatabase } from './store/database.ts';
import type { MigrationWaits } from './store/migration-lock.ts';
import { migrationStatus } from './store/migration-status.ts';
import { bootstrap, migrateFinish, migrateUp } from './store/migrator.ts';

/** What an operator who waits wants to know at once. */
export type TellOperator = (line: string) => void;

/**
 * Returns the lines to print; `tell` gets those that cannot wait. Throws when the database cannot be reached, belongs
 * to a newer version or is being migrated by somebody who does not come to an end.
 */
export async function runMigrationAction(
  action: MigrationAction,
  settings: Settings,
  tell: TellOperator = () => {},
): Promise<readonly string[]> {
  const database = await openDatabase(locateDatabase(settings));
  try {
    return await ACTIONS[action](database, {
      onWait: (holder) => tell(`waiting for another run of migrations (${holder})`),
    });
  } finally {
    await closeDatabase(database);
  }
}

type Action = (database: Database, waits: MigrationWaits) => Promise<readonly string[]>;

const ACTIONS: Readonly<Record<MigrationAction, Action>> = {
  bootstrap: async (database, waits) => describeRun(await bootstrap(database, waits)),
  up: async (database, waits) => [
    ...describeRun(await migrateUp(database, waits)),
    ...adviseFinish((await migrationStatus(database)).awaitingFinish),
  ],
  finish: async (database, waits) => describeRun(await migrateFinish(database, waits)),
  status: async (database) => {
    const { executed, pending, awaitingFinish, unknown } = await migrationStatus(database);
    const describe = (name: string) => {
      if (unknown.includes(name)) return `${name}: done by a newer version`;
      return awaitingFinish.includes(name) ? `${name}: awaiting finish` : `${name}: done`;
    };
    return [
      ...executed.map(describe),
      ...pending.map((name) => `${name}: pending`),
      ...adviseFinish(awaitingFinish),
    ];
  },
};

function describeRun(names: readonly string[]): readonly string[] {
  return names.length === 0 ? ['nothing to do'] : names.map((name) => `${name}: done`);
}

function adviseFinish(awaitingFinish: readonly string[]): readonly string[] {
  if (awaitingFinish.length === 0) return [];
  return ["run 'tollgate migrations finish' when every node runs this version"];
}
