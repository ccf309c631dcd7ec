/** Active and passive health checks as an upstream has them stored (contract/proxy.md section 8.3). Pure. */
import {
  compileHealthRules,
  type HealthRules,
  type HealthySettings,
  type UnhealthySettings,
} from '../balancing/balancer-rules.ts';

export type ProbeType = 'http' | 'https' | 'tcp' | 'grpc' | 'grpcs';

export interface ActiveSettings {
  readonly type: string | null;
  readonly timeout: number | null;
  readonly concurrency: number | null;
  readonly http_path: string | null;
  readonly https_sni: string | null;
  readonly https_verify_certificate: boolean;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly healthy: HealthySettings & { readonly interval: number | null };
  readonly unhealthy: UnhealthySettings & { readonly interval: number | null };
}

export interface CheckSettings {
  readonly threshold: number | null;
  readonly active: ActiveSettings;
  readonly passive: { readonly healthy: HealthySettings; readonly unhealthy: UnhealthySettings };
}

export interface CheckedUpstream {
  readonly id: string;
  readonly name: string;
  readonly host_header: string | null;
  readonly healthchecks: CheckSettings;
}

/** What a probe does, and what its outcome means. */
export interface ProbeRules {
  readonly type: ProbeType;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly path: string;
  readonly hostHeader: string | null;
  readonly serverName: string | null;
  readonly verifiesCertificate: boolean;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Between probes of an address in this state; 0: there are none. */
  readonly healthyIntervalMs: number;
  readonly unhealthyIntervalMs: number;
  readonly outcome: HealthRules;
}

export function compileProbeRules({
  healthchecks: { active },
  host_header: hostHeader,
}: CheckedUpstream): ProbeRules {
  return {
    type: (active.type ?? 'http') as ProbeType,
    timeoutMs: (active.timeout ?? 1) * 1000,
    concurrency: active.concurrency ?? 10,
    path: active.http_path ?? '/',
    hostHeader,
    serverName: active.https_sni,
    verifiesCertificate: active.https_verify_certificate,
    headers: active.headers ?? {},
    healthyIntervalMs: (active.healthy.interval ?? 0) * 1000,
    unhealthyIntervalMs: (active.unhealthy.interval ?? 0) * 1000,
    outcome: compileHealthRules(active.healthy, active.unhealthy),
  };
}

/** Whether anything but an operator could change an address's health. */
export function isChecked({ active, passive }: CheckSettings): boolean {
  const { tcp_failures, timeouts, http_failures } = passive.unhealthy;
  const numbers = [active.healthy.interval, active.unhealthy.interval, tcp_failures, timeouts, http_failures];
  return numbers.some((value) => (value ?? 0) > 0);
}
