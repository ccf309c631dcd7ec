/** What exchanges are made from, in either ingress. */
import type { ErrorCode } from '../errors.ts';
import type { ClientExchange } from './client-exchange.ts';

/** What all exchanges of one ingress share. */
export interface ExchangeSettings {
  readonly scheme: 'http' | 'https';
  readonly localPort: number;
  /** Bytes of a request body kept in memory for another attempt at the upstream. */
  readonly maxHeldBodyBytes: number;
  /** Longest body, counted as it comes; Infinity for no limit. */
  readonly maxBodyBytes: number;
  /** Answers in the gateway's place with the given code. */
  readonly refuse: (code: ErrorCode, exchange: ClientExchange) => void;
  /** True while the ingress is being drained: answers then ask clients to leave. */
  readonly isDraining: () => boolean;
}

/** The parts of a request head, copied out of the library's request. */
export interface RequestHead {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string | undefined;
  readonly headers: readonly string[];
  readonly host: string | undefined;
  /** -1 for a body of unknown length, 0 for none. */
  readonly bodyLength: number;
  readonly peerAddress: string;
  /** The guard has refused it: whatever follows on the connection is not to be trusted. */
  readonly isRefused: boolean;
}

/** The request line and headers as they are usually written, and the body without framing. */
export function countRequestBytes(exchange: ClientExchange): number {
  const { method, rawPath, rawQuery, headers, body } = exchange;
  const query = rawQuery === undefined ? 0 : rawQuery.length + 1;
  let bytes = method.length + rawPath.length + query + 14;
  for (let index = 0; index < headers.length; index += 2) {
    bytes += (headers[index] as string).length + (headers[index + 1] as string).length + 4;
  }
  return bytes + (body?.bytesReceived ?? 0);
}
