/** Opens sockets to upstreams, in the clear and by TLS. */
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { UpstreamOrigin } from './forward-request.ts';

/** TLS sessions of one pool, so that later handshakes are short. */
export interface SessionHolder {
  tlsSession: Buffer | undefined;
}

export interface SocketOptions {
  /** Every byte goes into this buffer; undefined for a stream as usual. */
  readonly onread?: OnReadOpts;
  /** The protocol offered in a TLS handshake. */
  readonly protocol: 'http/1.1' | 'h2';
  readonly sessions: SessionHolder;
  /** PEM certificates trusted where the origin says nothing of it; undefined for the runtime's list. */
  readonly trustedCertificates: readonly string[] | undefined;
}

/** The event by which a socket of this origin says that it can be used. */
export function readyEvent({ protocol }: UpstreamOrigin): 'connect' | 'secureConnect' {
  return protocol === 'http' ? 'connect' : 'secureConnect';
}

/** Throws where the origin's certificates cannot be used. */
export function openSocket(origin: UpstreamOrigin, ip: string, options: SocketOptions): Socket {
  const { onread } = options;
  const place = { host: ip, port: origin.port, ...(onread !== undefined && { onread }) };
  if (origin.protocol === 'http') return connectTcp({ ...place, noDelay: true, autoSelectFamily: false });
  return openTls(origin, place, options);
}

function openTls(
  origin: UpstreamOrigin,
  place: { readonly host: string; readonly port: number; readonly onread?: OnReadOpts },
  { protocol, sessions, trustedCertificates }: SocketOptions,
): Socket {
  // `onread` is documented for sockets and handed on by TLS; only the type of TLS options does not list it.
  const options: ConnectionOptions & { onread?: OnReadOpts } = {
    ...place,
    ...(origin.serverName === undefined ? {} : { servername: origin.serverName }),
    rejectUnauthorized: origin.verifyCertificate,
    ALPNProtocols: [protocol],
    ...(sessions.tlsSession === undefined ? {} : { session: sessions.tlsSession }),
    ...(trustedCertificates === undefined ? {} : { ca: [...trustedCertificates] }),
    ...(origin.tls === undefined ? {} : { secureContext: origin.tls.secureContext }),
  };
  const socket = connectTls(options);
  socket.setNoDelay(true);
  socket.on('session', (session) => {
    sessions.tlsSession = session;
  });
  return socket;
}
