/**
 * The part of a configuration that a guest needs: which instances of its plugins apply to which route, and
 * their configs. Sent once per snapshot; calls then name a plan by number.
 */

/**
 * The instances of one plugin that could apply to one route, by number, in the order of
 * contract/proxy.md section 10.3. -1 stands for none.
 */
export interface InstanceCandidates {
  readonly plugin: string;
  /** Steps 1–3 (step 5 is the same for all routes: `GuestConfiguration.consumers`): scoped to a consumer together with this route or service, by consumer id. */
  readonly consumerAndRoute: Readonly<Record<string, number>>;
  /** Step 4: this route and its service. */
  readonly routeAndService: number;
  /** Steps 6–8: route, else service, else global. */
  readonly fallback: number;
}

export interface Instance {
  /** Id of the plugin entity. */
  readonly id: string;
  readonly plugin: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly routeId: string | null;
  readonly serviceId: string | null;
  /** Why it cannot run: it fails whenever it is its turn. */
  readonly problem?: string;
}

export interface GuestPlan {
  /** In descending priority: the plugins of this package that take part, whether or not one will be picked. */
  readonly steps: readonly InstanceCandidates[];
  readonly route: Readonly<Record<string, unknown>> | null;
  readonly service: Readonly<Record<string, unknown>> | null;
}

/** One generation of configuration. Kept until no request that started with it is left. */
export interface GuestConfiguration {
  readonly generation: number;
  readonly instances: readonly Instance[];
  readonly plans: readonly GuestPlan[];
  /** Step 5: instances scoped to a consumer alone, by plugin and consumer id. */
  readonly consumers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Names of upstreams, for packages that may send requests elsewhere. Absent: none. */
  readonly upstreams?: readonly string[];
}

/** What plugins hear of the node they run on. */
export interface NodeFacts {
  readonly id: string;
  readonly hostname: string;
  readonly pid: number;
  /** An IP address it can be reached at. */
  readonly address: string;
  /** Addresses and ranges of proxies that are believed. Absent: nobody. */
  readonly trustedIps?: readonly string[];
}

/** The instance of a plugin that runs now, by number, or -1. Contract/proxy.md section 10.3. */
export function pickInstance(
  candidates: InstanceCandidates,
  consumers: Readonly<Record<string, number>> | undefined,
  consumerId: string | undefined,
): number {
  if (consumerId === undefined) {
    return candidates.routeAndService >= 0 ? candidates.routeAndService : candidates.fallback;
  }
  const narrow = candidates.consumerAndRoute[consumerId];
  if (narrow !== undefined) return narrow;
  if (candidates.routeAndService >= 0) return candidates.routeAndService;
  return consumers?.[consumerId] ?? candidates.fallback;
}
