/** Runs the migrations of a plugin's entity over rows. */
import type { EntityMigration, MigratedRow } from '../define-entity.ts';
import type { PluginDefinition } from '../define-plugin.ts';
import type { MigrationOrder, MigrationOutcome } from '../protocol/migration.ts';

/** Throws for an entity that no plugin declares. */
export function migrateRows(
  definitions: readonly PluginDefinition[],
  { entity, from, to, rows }: MigrationOrder,
): readonly MigrationOutcome[] {
  const declared = definitions.flatMap(({ entities }) => entities ?? []).find(({ name }) => name === entity);
  if (declared === undefined) throw new Error(`there is no entity '${entity}'`);
  const steps = stepsBetween(declared.migrations ?? [], from, to);
  return rows.map((row) => {
    try {
      return { row: steps.reduce((current, step) => step(current), row) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  });
}

type Step = (row: MigratedRow) => MigratedRow;

function stepsBetween(migrations: readonly EntityMigration[], from: number, to: number): readonly Step[] {
  const steps: Step[] = [];
  for (let revision = from; revision < to; revision++) {
    const migration = migrations.find((each) => each.from === revision);
    if (migration === undefined) throw new Error(`there is no migration from revision ${revision}`);
    steps.push((row) => migration.up(row));
  }
  for (let revision = from - 1; revision >= to; revision--) {
    const migration = migrations.find((each) => each.from === revision);
    if (migration?.down !== undefined) steps.push((row) => migration.down?.(row) ?? row);
  }
  return steps;
}
