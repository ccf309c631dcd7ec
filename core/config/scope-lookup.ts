/**
 * Which instances of a plugin could apply to a route, arranged so that the choice for one request is a few lookups
 * (sdk/protocol/plan.ts). The order is that of contract/proxy.md section 10.3. Pure.
 */
import type { InstanceCandidates } from '../../sdk/protocol/plan.ts';
import type { PluginRow } from './snapshot.ts';

const NONE = -1;
const NO_CONSUMERS: Readonly<Record<string, number>> = Object.freeze(Object.create(null));

/** All enabled instances of one plugin, by what they are attached to. Built once per snapshot. */
export interface PluginScopes {
  readonly plugin: string;
  /** Key: route id and service id joined by a space, '' for none. Value: number of the instance. */
  readonly unconsumed: ReadonlyMap<string, number>;
  /** The same key → consumer id → number. */
  readonly consumed: ReadonlyMap<string, Record<string, number>>;
}

export function groupByScope(plugin: string, rows: readonly (readonly [number, PluginRow])[]): PluginScopes {
  const unconsumed = new Map<string, number>();
  const consumed = new Map<string, Record<string, number>>();
  for (const [number, row] of rows) {
    const key = scopeKey(row.route?.id, row.service?.id);
    if (row.consumer === null) {
      unconsumed.set(key, number);
      continue;
    }
    const byConsumer: Record<string, number> = consumed.get(key) ?? Object.create(null);
    byConsumer[row.consumer.id] = number;
    consumed.set(key, byConsumer);
  }
  return { plugin, unconsumed, consumed };
}

/** Undefined when no instance of the plugin can ever apply to the route. */
export function findCandidates(
  scopes: PluginScopes,
  routeId: string | undefined,
  serviceId: string | undefined,
): InstanceCandidates | undefined {
  const { unconsumed, consumed } = scopes;
  const both = routeId !== undefined && serviceId !== undefined;
  const routeAndService = both ? (unconsumed.get(scopeKey(routeId, serviceId)) ?? NONE) : NONE;
  const fallback =
    (routeId === undefined ? undefined : unconsumed.get(scopeKey(routeId, undefined))) ??
    (serviceId === undefined ? undefined : unconsumed.get(scopeKey(undefined, serviceId))) ??
    unconsumed.get(scopeKey(undefined, undefined)) ??
    NONE;
  const consumerAndRoute = mergeByConsumer([
    serviceId === undefined ? undefined : consumed.get(scopeKey(undefined, serviceId)),
    routeId === undefined ? undefined : consumed.get(scopeKey(routeId, undefined)),
    both ? consumed.get(scopeKey(routeId, serviceId)) : undefined,
  ]);
  const applies =
    routeAndService !== NONE ||
    fallback !== NONE ||
    consumerAndRoute !== NO_CONSUMERS ||
    consumersOf(scopes) !== undefined;
  return applies ? { plugin: scopes.plugin, consumerAndRoute, routeAndService, fallback } : undefined;
}

/** Instances attached to a consumer and nothing else, by consumer id: the same for all routes. */
export function consumersOf(scopes: PluginScopes): Readonly<Record<string, number>> | undefined {
  return scopes.consumed.get(scopeKey(undefined, undefined));
}

/** Later maps win: the caller lists the most specific last. */
function mergeByConsumer(
  maps: readonly (Record<string, number> | undefined)[],
): Readonly<Record<string, number>> {
  const present = maps.filter((map) => map !== undefined);
  if (present.length <= 1) return present[0] ?? NO_CONSUMERS;
  return Object.assign(Object.create(null), ...present) as Record<string, number>;
}

function scopeKey(routeId: string | undefined, serviceId: string | undefined): string {
  return `${routeId ?? ''} ${serviceId ?? ''}`;
}
