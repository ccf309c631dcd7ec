/** Writes which version of a package is in use, and in the same statement what that does to the rows of its entities. */
import { StoreUnavailableError } from '../store/entity-error.ts';
import { ArrangementError } from '../store/package-arrangement.ts';
import type { PluginPackageTable, StoredPackage } from '../store/plugin-package-table.ts';
import { refusalOf, refuse } from './package-refusal.ts';
import {
  type EntityPlan,
  type EntityPlanDependencies,
  type EntityTransition,
  planEntities,
} from './plan-entities.ts';

export interface RearrangementDependencies extends EntityPlanDependencies {
  readonly table: PluginPackageTable;
}

/** Rows are written all the time: a plan that is out of date is made anew. */
const MAX_ATTEMPTS = 5;

export interface PlannedTransition {
  readonly transition: EntityTransition;
  readonly plan: EntityPlan;
}

/** Throws Refused, with the rows that the version cannot bear if that is why, and StoreUnavailableError. */
export async function planTransition(
  dependencies: EntityPlanDependencies,
  transition: EntityTransition,
): Promise<PlannedTransition> {
  const plan = await planEntities(dependencies, transition).catch((error: unknown) => {
    if (refusalOf(error) !== undefined || error instanceof StoreUnavailableError) throw error;
    throw refuse('invalid', `the package is refused: ${error instanceof Error ? error.message : error}`);
  });
  if (plan.broken.length === 0) return { transition, plan };
  throw refuse('conflict', `${plan.broken.length} stored rows do not fit this version`, plan.broken);
}

/**
 * Without `planned` entities stay as they are. False when what is in use has changed meanwhile. Throws as
 * `planTransition`, and ArrangementError.
 */
export async function rearrangePackage(
  dependencies: RearrangementDependencies,
  next: StoredPackage,
  before: StoredPackage | undefined,
  planned: PlannedTransition | undefined,
): Promise<boolean> {
  let current = planned;
  for (let attempt = 1; ; attempt++) {
    try {
      return await dependencies.table.replace(next, before, current?.plan.arrangement);
    } catch (error) {
      const isOutOfDate = error instanceof ArrangementError && error.kind === 'changed';
      if (!isOutOfDate || current === undefined || attempt === MAX_ATTEMPTS) throw error;
      current = await planTransition(dependencies, current.transition);
    }
  }
}
