/** A gateway with an upstream that keeps count of what reaches it, for requests nobody honest sends. */
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { HOST, type IngressKind } from './case.ts';

/** Bytes a request's body may have. */
export const BODY_LIMIT = 20_000;

export interface HostileProxy extends ProxyUnderTest {
  portOf(kind: IngressKind): number;
  upstreamCounts(): { readonly requests: number; readonly connections: number };
}

export const INGRESSES: readonly { readonly kind: IngressKind }[] = [{ kind: 'default' }];

export async function startHostileProxy(): Promise<HostileProxy> {
  const proxy = await startProxy({ TOLLGATE_CLIENT_MAX_BODY_SIZE: String(BODY_LIMIT) });
  await proxy.expose({}, { hosts: [HOST] });
  return {
    ...proxy,
    portOf: () => proxy.port,
    upstreamCounts: () => ({
      requests: proxy.upstream.requestCount,
      connections: proxy.upstream.connectionCount,
    }),
  };
}
