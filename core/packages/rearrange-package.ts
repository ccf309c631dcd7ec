/** Writes which version of a package is in use, and in the same statement what that does to the rows of its entities. */
import { ArrangementError } from '../store/package-arrangement.ts';
import type { PluginPackageTable, StoredPackage } from '../store/plugin-package-table.ts';
import { refuse } from './package-refusal.ts';
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

/** Throws Refused with the rows that the version cannot bear, and what `planEntities` throws. */
export async function planOrRefuse(
  dependencies: EntityPlanDependencies,
  transition: EntityTransition,
): Promise<EntityPlan> {
  const plan = await planEntities(dependencies, transition);
  if (plan.broken.length === 0) return plan;
  throw refuse('conflict', `${plan.broken.length} stored rows do not fit this version`, plan.broken);
}

/** False when what is in use has changed meanwhile. Throws as `planOrRefuse`, and ArrangementError. */
export async function rearrangePackage(
  dependencies: RearrangementDependencies,
  next: StoredPackage,
  before: StoredPackage | undefined,
  transition: EntityTransition,
  firstPlan: EntityPlan,
): Promise<boolean> {
  let plan = firstPlan;
  for (let attempt = 1; ; attempt++) {
    try {
      return await dependencies.table.replace(next, before, plan.arrangement);
    } catch (error) {
      const isOutOfDate = error instanceof ArrangementError && error.kind === 'changed';
      if (!isOutOfDate || attempt === MAX_ATTEMPTS) throw error;
      plan = await planOrRefuse(dependencies, transition);
    }
  }
}
