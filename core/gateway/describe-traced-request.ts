/** What a trace tells of a request besides times: from the flow to the words of telemetry. */
import type { TracedRequest } from '../telemetry/tracing/describe-spans.ts';
import { findHeader } from './find-header.ts';
import { nowMs } from './now.ts';
import { CLIENT_CLOSED_REQUEST } from './record-request.ts';
import type { RequestFlow } from './request-flow.ts';

export function describeTracedRequest(flow: RequestFlow): TracedRequest {
  const { exchange, plan, response } = flow;
  return {
    requestId: flow.requestId,
    method: exchange.method,
    scheme: exchange.scheme,
    host: exchange.host,
    rawPath: exchange.rawPath,
    rawQuery: exchange.rawQuery,
    httpVersion: exchange.httpVersion,
    localPort: exchange.localPort,
    peerAddress: exchange.peerAddress,
    clientAddress: flow.clientAddress,
    userAgent: findHeader(exchange.headers, 'user-agent'),
    receivedAtMs: exchange.receivedAtMs,
    endedAtMs: nowMs(),
    status: exchange.isAborted ? CLIENT_CLOSED_REQUEST : response.status,
    route: plan.route?.paths?.[0] ?? '',
    upstream: describeUpstream(flow),
  };
}

function describeUpstream({ forwardedAtMs, upstream, changes, exchange, response }: RequestFlow) {
  if (forwardedAtMs === 0 || upstream === null) return undefined;
  const { host, port } = upstream.origin;
  return { host, port, method: changes?.method ?? exchange.method, status: response.upstreamStatus };
}
