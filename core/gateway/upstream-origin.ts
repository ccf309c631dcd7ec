/** Where to connect, with everything that follows from it. */
import type { UpstreamOrigin } from '../upstream/forward-request.ts';

type Place = Pick<UpstreamOrigin, 'protocol' | 'host' | 'port' | 'verifyCertificate'>;

/** `host` may be an IPv6 address in brackets. */
export function createOrigin({ protocol, host, port, verifyCertificate }: Place): UpstreamOrigin {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return {
    protocol,
    host: bare,
    port,
    serverName: protocol === 'https' ? host : undefined,
    verifyCertificate,
    key: `${protocol}://${bare}:${port}${verifyCertificate ? ' verified' : ''}`,
  };
}
