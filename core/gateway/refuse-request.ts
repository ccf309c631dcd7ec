/** Answers to requests that are refused before routing: contract/proxy.md section 6.5. */
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { RefusalAnswer, RefusedRequest } from '../http/ingress.ts';
import { answerError } from './answer.ts';
import type { GatewayPolicy } from './gateway.ts';
import { negotiate } from './negotiation.ts';
import { nowMs } from './now.ts';
import { createRequestId } from './request-id.ts';

/** The answer, and the id by which it tells the client of the request. */
export type IdentifiedRefusal = RefusalAnswer & { readonly requestId: string };

export function createRefusal(policy: GatewayPolicy) {
  return (code: ErrorCode, exchange: RefusedRequest): IdentifiedRefusal => {
    const requestId = createRequestId();
    const headers = code === 'GW_WEBSOCKET_VERSION' ? ['Sec-WebSocket-Version', '13'] : [];
    const answer = answerError(new GatewayError(code), negotiate(exchange, requestId, policy), headers);
    const facts = { requestId, latencyMs: nowMs() - exchange.receivedAtMs, upstream: undefined };
    return {
      status: answer.status,
      headers: policy.responseHeaders.own(answer.headers, facts),
      body: String(answer.body),
      requestId,
    };
  };
}
