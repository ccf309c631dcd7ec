/** The end of every request: one record for each package with a log handler, handed over in batches. */
import type { LogFacts } from '../../sdk/protocol/phase-call.ts';
import { describeTracedRequest } from './describe-traced-request.ts';
import { encodeFullLogCall, encodeLogCall, type FullRecord } from './encode-call.ts';
import { nowMs } from './now.ts';
import type { RequestFlow } from './request-flow.ts';

/** Status recorded when the client left before its answer was complete. */
export const CLIENT_CLOSED_REQUEST = 499;

export function recordRequest(flow: RequestFlow): void {
  const { lanes } = flow.plan;
  if (lanes.length === 0) return;
  const { trace } = flow;
  if (trace?.isSampled || trace?.hasLogs) flow.gateway.tracer.end(trace, describeTracedRequest(flow));
  let facts: LogFacts | undefined;
  for (const [at, { lane, plan, hasLog, needsFullRecord }] of lanes.entries()) {
    const picks = flow.picks[at] ?? '';
    if (!hasLog || picks === '') continue;
    facts ??= describeRequest(flow);
    const call = needsFullRecord
      ? encodeFullLogCall(flow, plan, picks, facts, describeFully(flow))
      : encodeLogCall(flow, plan, picks, facts);
    flow.gateway.lanes[lane]?.submitLog(call);
  }
}

function describeFully({ forwarding, upstreamTarget, response }: RequestFlow): FullRecord {
  return {
    upstreamTarget,
    tries: (forwarding?.attempts ?? []).map(({ ip, port, error }) => ({
      ip,
      port,
      ...(error && { error: error.code }),
    })),
    serviceHeaders: response.serviceHeaders,
    clientHeaders: response.headers,
  };
}

function describeRequest({ exchange, response, forwardedAtMs }: RequestFlow): LogFacts {
  const endedAtMs = nowMs();
  const wasForwarded = forwardedAtMs > 0;
  const answeredAtMs = response.headAtMs || endedAtMs;
  return {
    status: exchange.isAborted ? CLIENT_CLOSED_REQUEST : response.status,
    source: response.source,
    gatewayLatencyMs: Math.round((wasForwarded ? forwardedAtMs : answeredAtMs) - exchange.receivedAtMs),
    upstreamLatencyMs: wasForwarded ? Math.round(answeredAtMs - forwardedAtMs) : -1,
    requestLatencyMs: Math.round(endedAtMs - exchange.receivedAtMs),
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
    upstreamStatus: response.upstreamStatus,
  };
}
