/** Where to connect, with everything that follows from it. */
import { isIP } from 'node:net';
import type { UpstreamOrigin } from '../upstream/forward-request.ts';
import { OriginTls, type OriginTlsFacts } from '../upstream/origin-tls.ts';

type Place = Pick<UpstreamOrigin, 'protocol' | 'host' | 'port' | 'verifyCertificate' | 'tls' | 'speaksHttp2'>;

export function createOriginTls(facts: OriginTlsFacts): OriginTls {
  return new OriginTls(facts);
}

/** `host` may be an IPv6 address in brackets. */
export function createOrigin({
  protocol,
  host,
  port,
  verifyCertificate,
  tls,
  speaksHttp2,
}: Place): UpstreamOrigin {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const isSecure = protocol === 'https';
  const marks = [
    verifyCertificate ? ' verified' : '',
    isSecure && tls !== undefined ? ` by ${tls.key}` : '',
    speaksHttp2 === true ? ' in HTTP/2' : '',
  ];
  return {
    protocol,
    host: bare,
    port,
    serverName: isSecure ? serverNameOf(bare) : undefined,
    verifyCertificate,
    tls: isSecure ? tls : undefined,
    speaksHttp2: speaksHttp2 === true,
    key: `${protocol}://${bare}:${port}${marks.join('')}`,
  };
}

/** The same origin for requests that keep their client's Host: its name is asked for (contract/proxy.md section 7.6). */
export function originNamed(origin: UpstreamOrigin, host: string): UpstreamOrigin {
  const serverName = serverNameOf(host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'));
  if (serverName === origin.serverName) return origin;
  return { ...origin, serverName, key: `${origin.key} as ${serverName}` };
}

/** Addresses are no server names. */
function serverNameOf(name: string): string | undefined {
  return isIP(name) === 0 ? name : undefined;
}
