/** An upstream as it is stored, compiled into what a balancer asks of it. Pure. */
import type { AlgorithmName } from './algorithms/by-name.ts';

/** Members of an upstream that balancing reads; all but the name may be null. */
export interface UpstreamSettings {
  readonly id: string;
  readonly name: string;
  readonly algorithm: string | null;
  readonly hash_on: string | null;
  readonly hash_fallback: string | null;
  readonly hash_on_header: string | null;
  readonly hash_fallback_header: string | null;
  readonly hash_on_cookie: string | null;
  readonly hash_on_cookie_path: string | null;
  readonly hash_on_query_arg: string | null;
  readonly hash_fallback_query_arg: string | null;
  readonly hash_on_uri_capture: string | null;
  readonly hash_fallback_uri_capture: string | null;
  readonly slots: number | null;
  readonly host_header: string | null;
  readonly use_srv_name: boolean | null;
  readonly healthchecks: {
    readonly threshold: number | null;
    readonly passive: {
      readonly healthy: HealthySettings;
      readonly unhealthy: UnhealthySettings;
    };
  };
}

export interface HealthySettings {
  readonly http_statuses: readonly number[] | null;
  readonly successes: number | null;
}

export interface UnhealthySettings {
  readonly http_statuses: readonly number[] | null;
  readonly tcp_failures: number | null;
  readonly timeouts: number | null;
  readonly http_failures: number | null;
}

/** Where the value comes from that is hashed. `name` is that of the header, cookie, argument or capture. */
export interface HashInput {
  readonly kind: 'consumer' | 'ip' | 'header' | 'cookie' | 'path' | 'query_arg' | 'uri_capture';
  readonly name: string;
}

/** What counts for and against an address; limits of 0 count nothing. */
export interface HealthRules {
  readonly healthyStatuses: ReadonlySet<number>;
  readonly unhealthyStatuses: ReadonlySet<number>;
  readonly successes: number;
  readonly tcp_failures: number;
  readonly timeouts: number;
  readonly http_failures: number;
}

export interface BalancerRules {
  readonly name: string;
  readonly algorithm: AlgorithmName;
  readonly slots: number;
  /** First choice and fallback; none: there is nothing to hash. */
  readonly hashInputs: readonly HashInput[];
  readonly cookiePath: string;
  /** Per cent of the weight that has to be exceeded by what is healthy. */
  readonly threshold: number;
  readonly passive: HealthRules;
  readonly hostHeader: string | null;
  readonly usesSrvName: boolean;
}

export function compileRules(upstream: UpstreamSettings): BalancerRules {
  const { healthchecks } = upstream;
  return {
    name: upstream.name,
    algorithm: (upstream.algorithm ?? 'round-robin') as AlgorithmName,
    slots: upstream.slots ?? 10_000,
    hashInputs: [
      ...inputOf(upstream.hash_on, {
        header: upstream.hash_on_header,
        cookie: upstream.hash_on_cookie,
        query_arg: upstream.hash_on_query_arg,
        uri_capture: upstream.hash_on_uri_capture,
      }),
      ...inputOf(upstream.hash_fallback, {
        header: upstream.hash_fallback_header,
        cookie: upstream.hash_on_cookie,
        query_arg: upstream.hash_fallback_query_arg,
        uri_capture: upstream.hash_fallback_uri_capture,
      }),
    ],
    cookiePath: upstream.hash_on_cookie_path ?? '/',
    threshold: healthchecks.threshold ?? 0,
    passive: compileHealthRules(healthchecks.passive.healthy, healthchecks.passive.unhealthy),
    hostHeader: upstream.host_header,
    usesSrvName: upstream.use_srv_name === true,
  };
}

export function compileHealthRules(healthy: HealthySettings, unhealthy: UnhealthySettings): HealthRules {
  return {
    healthyStatuses: new Set(healthy.http_statuses),
    unhealthyStatuses: new Set(unhealthy.http_statuses),
    successes: healthy.successes ?? 0,
    tcp_failures: unhealthy.tcp_failures ?? 0,
    timeouts: unhealthy.timeouts ?? 0,
    http_failures: unhealthy.http_failures ?? 0,
  };
}

function inputOf(kind: string | null, names: Readonly<Record<string, string | null>>): readonly HashInput[] {
  if (kind === null || kind === 'none') return [];
  return [{ kind: kind as HashInput['kind'], name: names[kind] ?? '' }];
}
