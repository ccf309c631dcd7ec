/** Health of the targets of upstreams, as a metric: contract/plugins.md section 3. Pure. */
import type { TargetHealth, UpstreamHealth } from '../health/describe-health.ts';
import type { Family, Sample } from './render-metrics.ts';

const STATES = ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'] as const;

/** Four samples for each address, of which one is 1. */
export function upstreamHealthFamilies(upstreams: readonly UpstreamHealth[]): Family[] {
  const samples = upstreams.flatMap((upstream) =>
    upstream.targets.flatMap((target) => samplesOf(upstream, target)),
  );
  const help =
    'Health status of targets of upstream. States = healthchecks_off|healthy|unhealthy|dns_error, value is 1 when state is populated.';
  return samples.length === 0 ? [] : [{ name: 'kong_upstream_target_health', type: 'gauge', help, samples }];
}

function samplesOf({ name, isChecked }: UpstreamHealth, target: TargetHealth): readonly Sample[] {
  if (target.isResolving) return [];
  const host = `${bracketed(target.host)}:${target.port}`;
  const sample = (address: string, current: (typeof STATES)[number]): readonly Sample[] =>
    STATES.map((state) => ({
      labels: { upstream: name, target: host, address, state, subsystem: 'http' },
      value: state === current ? 1 : 0,
    }));
  if (target.hasProblem) return sample('', 'dns_error');
  const isOff = !isChecked || target.weight === 0;
  return target.addresses.flatMap(({ ip, port, isHealthy }) =>
    sample(`${bracketed(ip)}:${port}`, isOff ? 'healthchecks_off' : isHealthy ? 'healthy' : 'unhealthy'),
  );
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
