/**
 * One request of a client and the way to answer it: the border between the HTTP library and the gateway.
 *
 * Everything readable was copied out of the native request before the handler returned, so nothing here dies
 * with it. Implementations guarantee that no method throws after the client has gone: it does nothing then.
 */
import type { RequestBody } from './request-body.ts';

/** What the gateway wants to hear about a client after it has been handed an exchange. */
export interface ClientEvents {
  /** The client went away before the answer was complete. At most once; nothing may be written afterwards. */
  onAborted(): void;
  /** Bytes written earlier have drained: `write` may be called again. */
  onDrain(): void;
}

export interface ClientExchange {
  /** As sent; upper case by the grammar we accept. */
  readonly method: string;
  /** Request target without the query, exactly as received. */
  readonly rawPath: string;
  /** Text after the first `?`: undefined without one, '' for a bare one. */
  readonly rawQuery: string | undefined;
  /** Lower-case names and values in order of arrival, flat: [name, value, name, value, …]. Duplicates stay separate. */
  readonly headers: readonly string[];
  /** Value of the (single, non-empty) Host header, as sent. Undefined only where the protocol allows it. */
  readonly host: string | undefined;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: '1.0' | '1.1' | '2';
  /** The server name the client asked for in its TLS handshake; undefined without one. */
  readonly sni: string | undefined;
  /** Address of the TCP peer in its shortest usual form; IPv4-mapped addresses as IPv4. */
  readonly peerAddress: string;
  /** Port of the listening socket. */
  readonly localPort: number;
  /** Unix time in ms (fractional) at which the head was complete. */
  readonly receivedAtMs: number;
  /** Undefined when the request has neither a length above 0 nor a chunked body. */
  readonly body: RequestBody | undefined;
  /**
   * What the client sends behind a WebSocket handshake, once it has been answered with `writeHead(101, …)`; what is
   * written then are the other side's bytes. Undefined for other requests.
   */
  readonly upgrade?: RequestBody | undefined;
  /** True once the client has gone. */
  readonly isAborted: boolean;
  /** Bytes of head and body sent to the client so far, as far as the library lets us know. */
  readonly bytesSent: number;
  /** Bytes of head and body received, computed from what was parsed. */
  readonly bytesReceived: number;

  /** Set once by the gateway, synchronously, before anything is awaited. */
  events: ClientEvents | undefined;

  /**
   * Answers in one go. `headers` is flat like the request's, without framing headers; Content-Length is added.
   * For HEAD and for 1xx/204/304 no body bytes are sent. `closeConnection` ends the connection behind the answer.
   */
  send(
    status: number,
    headers: readonly string[],
    body: string | Uint8Array,
    closeConnection?: boolean,
  ): void;

  /**
   * Starts a streamed answer. `bodyLength` undefined means chunked framing. `hasBody` false ends the answer at
   * once (HEAD keeps the given length as its Content-Length). The head may wait for the first bytes of the body.
   */
  writeHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    hasBody: boolean,
  ): void;
  /** False asks the caller to stop until `onDrain`. The bytes are copied before it returns. */
  write(chunk: Uint8Array): boolean;
  /** Trailers, flat, go out over HTTP/2 only. */
  end(trailers?: readonly string[]): void;

  /** Groups several of the calls above into one system call. */
  cork(run: () => void): void;
  /** Cuts the connection without finishing the answer: nothing better is possible after the head is out. */
  destroy(): void;
}

/** What a listener does with each exchange. It may keep the exchange; it must answer, destroy, or be aborted. */
export type ExchangeHandler = (exchange: ClientExchange) => void;
