/**
 * What a listening port is to the rest of the gateway, whichever HTTP implementation is behind it: requests come out of
 * it as exchanges, and what could be read in two ways never does. Decision 0025 tells why there are two.
 */
import type { SecureContext } from 'node:tls';
import type { ErrorCode } from '../errors.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';

/** What a refused client gets; the gateway owns formats and headers of errors. */
export interface RefusalAnswer {
  readonly status: number;
  /** Flat: [name, value, …], without framing headers. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface IngressOptions {
  /** Address to bind, such as 127.0.0.1 or ::. */
  readonly address: string;
  /** 0 takes a free one, which no other ingress can share; any other port can be shared between threads. */
  readonly port: number;
  readonly handler: ExchangeHandler;
  /** Answer to a request that never reaches the handler (contract/proxy.md section 6.5). */
  readonly renderRefusal: (code: ErrorCode, request: RefusedRequest) => RefusalAnswer;
  /** While true, answers carry `Connection: close`. Default: never. */
  readonly isDraining?: () => boolean;
  /** Hears what a handler threw; the client's connection is cut. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Longest request body, declared or counted. Default 0 = unlimited (`client_max_body_size`). */
  readonly maxBodyBytes?: number;
  /** Bytes of a request body held in memory for replay. Default 1 MiB. */
  readonly maxHeldBodyBytes?: number;
  /** Silence after which a connection without a request in work is closed. Default 75 s (contract section 7.3). */
  readonly idleTimeoutSeconds?: number;
  /**
   * How long a client may stay silent in the middle of a body, and a request head may take; the fast ingress has one time
   * for heads and idle connections. Default 60 s.
   */
  readonly clientTimeoutMs?: number;
}

/** What only Node's own servers can do. */
export interface StrictIngressOptions extends IngressOptions {
  /** HTTP/2 as well: over TLS where the client chooses it, in the clear where it begins with HTTP/2's preface. */
  readonly speaksHttp2?: boolean;
  /** Undefined for a port in the clear. */
  readonly tls?: IngressTls | undefined;
}

export interface IngressTls {
  /** PEM: what clients get who name no server, or one that nobody knows. */
  readonly ownCertificate: { readonly cert: string; readonly key: string };
  /** Asked at each handshake in which a client names a server; undefined for the own certificate. */
  readonly chooseContext: (serverName: string) => SecureContext | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list; undefined for the runtime's. */
  readonly ciphers?: string | undefined;
}

/** What is known of a request that is refused: nothing, where it could not even be read. */
export type RefusedRequest = Pick<ClientExchange, 'headers' | 'httpVersion' | 'receivedAtMs'>;

export interface IngressConnections {
  readonly accepted: number;
  readonly active: number;
}

export interface Ingress {
  readonly port: number;
  readonly connections: IngressConnections;
  /** Takes no more connections; those there are stay. */
  stopAccepting(): void;
  /** Cuts all connections and gives up the port. */
  close(): void;
}

export const DEFAULT_HELD_BODY_BYTES = 1024 * 1024;
export const DEFAULT_IDLE_TIMEOUT_SECONDS = 75;
export const DEFAULT_CLIENT_TIMEOUT_MS = 60_000;
