/** A gateway with an upstream that keeps count of what reaches it, for requests nobody honest sends. */
import { findFreePort } from '../../support/free-port.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { HOST, type IngressKind } from './case.ts';

/** Bytes a request's body may have. */
export const BODY_LIMIT = 20_000;

export interface HostileProxy extends ProxyUnderTest {
  portOf(kind: IngressKind): number;
  upstreamCounts(): { readonly requests: number; readonly connections: number };
}

export const INGRESSES: readonly { readonly kind: IngressKind }[] = [{ kind: 'default' }, { kind: 'strict' }];

export async function startHostileProxy(): Promise<HostileProxy> {
  const ports = { default: await findFreePort(), strict: await findFreePort() };
  const proxy = await startProxy({
    TOLLGATE_PROXY_LISTEN: `127.0.0.1:${ports.default}, 127.0.0.1:${ports.strict} strict`,
    TOLLGATE_CLIENT_MAX_BODY_SIZE: String(BODY_LIMIT),
    TOLLGATE_CLIENT_TIMEOUT: '1',
    TOLLGATE_CLIENT_KEEPALIVE_TIMEOUT: '4',
  });
  await proxy.expose({}, { hosts: [HOST] });
  return {
    ...proxy,
    portOf: (kind) => ports[kind],
    upstreamCounts: () => ({
      requests: proxy.upstream.requestCount,
      connections: proxy.upstream.connectionCount,
    }),
  };
}
