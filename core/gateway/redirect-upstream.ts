/** Where a request goes when plugins have had a say in it. Pure. */
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { Gateway } from './gateway.ts';
import type { RoutePlan, UpstreamPlan } from './route-plan.ts';
import { createOrigin } from './upstream-origin.ts';
import { compileUpstreamPath } from './upstream-path.ts';
import { hostHeaderOf, rememberPeers } from './upstream-peers.ts';

const DEFAULT_RETRIES = 5;
const DEFAULT_TIMEOUT_MS = 60_000;

/** The plan's own upstream where the changes say nothing of it; null where there is none and they name none. */
export function redirectUpstream(
  plan: RoutePlan,
  changes: RequestChanges,
  findBalancer: Gateway['findBalancer'],
): UpstreamPlan | null {
  const { scheme, target, retries, timeouts } = changes;
  const isAsPlanned =
    target === undefined && scheme === undefined && retries === undefined && timeouts === undefined;
  if (isAsPlanned) return plan.upstream;
  const planned =
    plan.upstream ?? (target === undefined ? null : planWithoutService(plan, target, findBalancer));
  if (planned === null) return null;
  const [connectTimeoutMs, writeTimeoutMs, readTimeoutMs] = timeouts ?? [
    planned.connectTimeoutMs,
    planned.writeTimeoutMs,
    planned.readTimeoutMs,
  ];
  return {
    ...planned,
    ...(target === undefined && scheme === undefined
      ? undefined
      : redirect(planned, scheme, target, findBalancer)),
    retries: retries ?? planned.retries,
    connectTimeoutMs,
    writeTimeoutMs,
    readTimeoutMs,
  };
}

function redirect(
  { origin: planned, hostHeader, balancer }: UpstreamPlan,
  scheme: RequestChanges['scheme'],
  target: RequestChanges['target'],
  findBalancer: Gateway['findBalancer'],
): Pick<UpstreamPlan, 'origin' | 'hostHeader' | 'balancer' | 'peerAt'> {
  const protocol = scheme ?? planned.protocol;
  const { host, port } = target ?? planned;
  const origin = createOrigin({ ...planned, protocol, host, port });
  return {
    origin,
    balancer: target === undefined ? balancer : findBalancer(host),
    peerAt: rememberPeers(origin),
    hostHeader: target === undefined ? hostHeader : hostHeaderOf(protocol, host, port),
  };
}

/** A route without a service, whose requests a plugin sends somewhere. */
function planWithoutService(
  { route }: RoutePlan,
  { host, port }: NonNullable<RequestChanges['target']>,
  findBalancer: Gateway['findBalancer'],
): UpstreamPlan | null {
  if (route === null) return null;
  const origin = createOrigin({ protocol: 'http', host, port, verifyCertificate: false });
  return {
    origin,
    balancer: findBalancer(host),
    peerAt: rememberPeers(origin),
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
