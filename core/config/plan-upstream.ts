/** The upstream side of a route: where to connect, with which timeouts, and how the path is made. */
import type { Balancer } from '../balancing/balancer.ts';
import type { UpstreamPlan } from '../gateway/route-plan.ts';
import { createOrigin, createOriginTls } from '../gateway/upstream-origin.ts';
import { compileUpstreamPath } from '../gateway/upstream-path.ts';
import { hostHeaderOf, rememberPeers } from '../gateway/upstream-peers.ts';
import type { FindUpstreamTls } from './plan-upstream-tls.ts';
import type { RouteRow, ServiceRow } from './snapshot.ts';

const DEFAULT_RETRIES = 5;
const DEFAULT_TIMEOUT_MS = 60_000;

/** The balancer of an upstream by its name. */
export type FindBalancer = (name: string) => Balancer | undefined;

export function planUpstream(
  route: RouteRow,
  service: ServiceRow,
  findBalancer: FindBalancer,
  findTls: FindUpstreamTls,
): UpstreamPlan {
  const protocol = service.protocol === 'https' || service.protocol === 'grpcs' ? 'https' : 'http';
  const tls = findTls(service);
  const origin = createOrigin({
    protocol,
    host: service.host,
    port: service.port,
    verifyCertificate: service.tls_verify === true,
    tls: tls && createOriginTls(tls),
    speaksHttp2: service.protocol.startsWith('grpc'),
  });
  return {
    origin,
    balancer: findBalancer(service.host),
    peerAt: rememberPeers(origin),
    hostHeader: hostHeaderOf(protocol, service.host, service.port),
    retries: service.retries ?? DEFAULT_RETRIES,
    connectTimeoutMs: service.connect_timeout ?? DEFAULT_TIMEOUT_MS,
    writeTimeoutMs: service.write_timeout ?? DEFAULT_TIMEOUT_MS,
    readTimeoutMs: service.read_timeout ?? DEFAULT_TIMEOUT_MS,
    buildPath: compileUpstreamPath({
      servicePath: service.path,
      stripPath: route.strip_path,
      pathHandling: route.path_handling === 'v1' ? 'v1' : 'v0',
      hasPaths: route.paths !== null && route.paths.length > 0,
    }),
  };
}
