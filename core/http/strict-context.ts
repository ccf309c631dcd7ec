/** What the HTTP/1 and HTTP/2 sides of a strict ingress have in common. */
import type { ErrorCode } from '../errors.ts';
import type { ExchangeSettings } from './exchange-settings.ts';
import type { StrictIngressOptions } from './ingress.ts';
import type { NodeExchange } from './node-exchange.ts';

export interface StrictContext
  extends Pick<StrictIngressOptions, 'handler' | 'renderRefusal' | 'onHandlerError'> {
  readonly settings: ExchangeSettings;
  readonly clientTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Hands a request to the gateway, or refuses it. */
export function beginExchange(
  exchange: NodeExchange,
  refusal: ErrorCode | undefined,
  { handler, settings, onHandlerError }: StrictContext,
): void {
  try {
    if (refusal === undefined) handler(exchange);
    else settings.refuse(refusal, exchange);
  } catch (error) {
    exchange.destroy();
    onHandlerError?.(error);
  }
}
