/**
 * The border between the gateway and the upstream side: what is to be sent, and who hears the answer.
 */
import type { ErrorCode, GatewayError } from '../errors.ts';
import type { RequestBody } from '../http/request-body.ts';
import type { OriginTls } from './origin-tls.ts';

/** Where to connect. Equal origins (see `key`) share a pool of idle connections. */
export interface UpstreamOrigin {
  readonly protocol: 'http' | 'https';
  /** Name or IP literal (IPv6 without brackets) to resolve and connect to. */
  readonly host: string;
  readonly port: number;
  /** https only: name sent as SNI and checked when verifying. */
  readonly serverName: string | undefined;
  /** https only. Default false, as Kong's. */
  readonly verifyCertificate: boolean;
  /** https only, where there is more to say. */
  readonly tls?: OriginTls | undefined;
  /** It is spoken to in HTTP/2: gRPC. */
  readonly speaksHttp2?: boolean;
  /** Pool key, unique per combination of the members above. Built once per snapshot, not per request. */
  readonly key: string;
}

/** Hears of each step towards an answer, for traces. */
export interface ForwardObserver {
  onLookup(name: string): void;
  /** Undefined: there was no answer. */
  onLookupEnd(ip: string | undefined): void;
  onTry(ip: string, port: number): void;
  /** Of the last try. */
  onTryFailed(error: GatewayError): void;
}

/** Chooses the address of each attempt of a request, and hears what became of it. */
export interface PeerChoice {
  /** IP for the next attempt; the request's `origin` and `head` are set for it. Undefined: there is none to be had. */
  nextPeer(): string | undefined;
  /** Calls back once when there may be one. False: there is nothing to wait for. */
  awaitPeer(listener: () => void): boolean;
  onAttemptFailed(code: ErrorCode): void;
  onAttemptAnswered(status: number): void;
  /** No further attempt will be made, and the last one is over. */
  onDone(): void;
}

export interface ForwardRequest {
  /** With `peers` that of the current attempt. */
  readonly origin: UpstreamOrigin;
  readonly method: string;
  /** Request line and headers, CRLF-terminated, with the empty line; latin1 code units. Framing headers are in it. */
  readonly head: string;
  readonly body: RequestBody | undefined;
  /** True: body bytes are sent as chunks. False: they are sent as they are, the head has a Content-Length. */
  readonly chunkedBody: boolean;
  /**
   * The head asks for a WebSocket: what the client sends once the upstream has agreed. The answer is 101 then, and what
   * the upstream sends is its body.
   */
  readonly upgrade?: RequestBody | undefined;
  /** Additional attempts after the first: contract/proxy.md section 7.2. */
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly observer?: ForwardObserver | undefined;
  /** Absent: every attempt goes to an address of `origin`. */
  readonly peers?: PeerChoice | undefined;
}

export interface ResponseHead {
  readonly status: number;
  /** Names as the upstream sent them (any case) and values, flat, in order, hop-by-hop headers included. */
  readonly headers: readonly string[];
  /** Content-Length, or undefined for chunked and close-delimited bodies. For HEAD: the length it announces. */
  readonly bodyLength: number | undefined;
  /** False for HEAD, 204 and 304. */
  readonly hasBody: boolean;
  /** Default 1.1. */
  readonly httpVersion?: '2';
}

/** One finished or failed attempt, for logs and metrics. */
export interface UpstreamAttempt {
  readonly ip: string;
  readonly port: number;
  readonly error: GatewayError | undefined;
}

/**
 * Hears exactly one of: onHead, onChunk*, onEnd; or onError at any point (after onHead the answer is cut short).
 * Interim 1xx responses are swallowed. Nothing is called after `abort()`.
 */
export interface ForwardEvents {
  onHead(head: ResponseHead): void;
  /** Only valid during the call: a view of the read buffer. False pauses reading until `resume()`. */
  onChunk(chunk: Uint8Array): boolean;
  /**
   * Everything received in one read has been delivered: a moment to flush what was held back. Not called for the
   * read that completes the response, because `onEnd` follows within it.
   */
  onFlush(): void;
  /** Flat, in lower case; before `onEnd`, and of HTTP/2 only. */
  onTrailers?(trailers: readonly string[]): void;
  onEnd(): void;
  /** After retries. `error.code` decides the answer. */
  onError(error: GatewayError): void;
}

export interface ForwardExchange {
  /** The client went away: drop the upstream connection, tell nobody. */
  abort(): void;
  /** The client can take bytes again. */
  resume(): void;
  readonly attempts: readonly UpstreamAttempt[];
}
