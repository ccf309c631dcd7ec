/** Which plan a request is served by while versions of a package share the traffic. */
import type { RoutingPlan } from '../config/build-plan.ts';

export interface LivePlan {
  /** It serves from where the plan before it ends up to this. The last one ends at 100. */
  readonly upToPercent: number;
  readonly plan: RoutingPlan;
}

/** There has to be one. */
export function drawPlan(plans: readonly LivePlan[]): RoutingPlan {
  const drawn = Math.random() * 100;
  const found = plans.find(({ upToPercent }) => drawn < upToPercent) ?? plans[plans.length - 1];
  return (found as LivePlan).plan;
}
