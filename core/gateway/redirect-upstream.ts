/** Where a request goes when plugins have had a say in it. Pure. */
import { isIPv6 } from 'node:net';
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { RoutePlan, UpstreamPlan } from './route-plan.ts';
import { createOrigin } from './upstream-origin.ts';
import { compileUpstreamPath } from './upstream-path.ts';

const DEFAULT_RETRIES = 5;
const DEFAULT_TIMEOUT_MS = 60_000;

/** The plan's own upstream where the changes say nothing of it; null where there is none and they name none. */
export function redirectUpstream(plan: RoutePlan, changes: RequestChanges): UpstreamPlan | null {
  const { scheme, target, retries, timeouts } = changes;
  const isAsPlanned =
    target === undefined && scheme === undefined && retries === undefined && timeouts === undefined;
  if (isAsPlanned) return plan.upstream;
  const planned = plan.upstream ?? (target === undefined ? null : planWithoutService(plan, target));
  if (planned === null) return null;
  const [connectTimeoutMs, writeTimeoutMs, readTimeoutMs] = timeouts ?? [
    planned.connectTimeoutMs,
    planned.writeTimeoutMs,
    planned.readTimeoutMs,
  ];
  return {
    ...planned,
    ...(target === undefined && scheme === undefined ? undefined : redirect(planned, scheme, target)),
    retries: retries ?? planned.retries,
    connectTimeoutMs,
    writeTimeoutMs,
    readTimeoutMs,
  };
}

function redirect(
  { origin, hostHeader }: UpstreamPlan,
  scheme: RequestChanges['scheme'],
  target: RequestChanges['target'],
): Pick<UpstreamPlan, 'origin' | 'hostHeader'> {
  const protocol = scheme ?? origin.protocol;
  const { host, port } = target ?? origin;
  return {
    origin: createOrigin({ ...origin, protocol, host, port }),
    hostHeader: target === undefined ? hostHeader : hostHeaderOf(protocol, host, port),
  };
}

function hostHeaderOf(protocol: string, host: string, port: number): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === (protocol === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/** A route without a service, whose requests a plugin sends somewhere. */
function planWithoutService(
  { route }: RoutePlan,
  { host, port }: NonNullable<RequestChanges['target']>,
): UpstreamPlan | null {
  if (route === null) return null;
  return {
    origin: createOrigin({ protocol: 'http', host, port, verifyCertificate: false }),
    hostHeader: hostHeaderOf('http', host, port),
    retries: DEFAULT_RETRIES,
    connectTimeoutMs: DEFAULT_TIMEOUT_MS,
    writeTimeoutMs: DEFAULT_TIMEOUT_MS,
    readTimeoutMs: DEFAULT_TIMEOUT_MS,
    buildPath: compileUpstreamPath({
      servicePath: null,
      stripPath: route.strip_path,
      pathHandling: route.path_handling === 'v1' ? 'v1' : 'v0',
      hasPaths: route.paths !== null && route.paths.length > 0,
    }),
  };
}
