/** `kong.log.serialize()`: the finished request as logging plugins write it. Source: contract/plugins.md section 19. */
import type { SerializedRecord } from '../log.ts';
import { decodeFullLogFacts, HEADER_MARKS, type LogFacts, REQUEST_LINES } from '../protocol/phase-call.ts';
import type { CallState } from './call-state.ts';
import { readAllHeaders } from './header-reader.ts';
import { RequestView } from './request-view.ts';
import { applySerializeValues } from './serialize-values.ts';

const REDACTED = 'REDACTED';
const SECRET_HEADERS = ['authorization', 'proxy-authorization'];

type Row = Readonly<Record<string, unknown>>;

export function serializeRequest(call: CallState, facts: LogFacts): SerializedRecord {
  const request = new RequestView(call);
  const { upstreamTarget, tries } = decodeFullLogFacts(call.phaseFacts);
  const { consumer, credential, plan } = call;
  const uri = request.getPathWithQuery();
  const proxyMs = facts.upstreamLatencyMs;
  const record: Record<string, unknown> = {
    request: {
      id: request.getId(),
      uri,
      url: `${request.getScheme()}://${request.getHost()}:${request.getPort()}${uri}`,
      querystring: request.getQuery(),
      method: request.getMethod(),
      headers: hideSecrets(flatten(readAllHeaders(call.text, ''))),
      size: facts.bytesReceived,
    },
    upstream_uri: upstreamTarget,
    upstream_status: facts.upstreamStatus > 0 ? String(facts.upstreamStatus) : '',
    response: {
      status: facts.status,
      headers: flatten(readAllHeaders(call.text, '', HEADER_MARKS.client)),
      size: facts.bytesSent,
    },
    latencies: {
      kong: facts.gatewayLatencyMs,
      proxy: proxyMs,
      request: facts.requestLatencyMs,
      receive: proxyMs < 0 ? 0 : Math.max(0, facts.requestLatencyMs - facts.gatewayLatencyMs - proxyMs),
    },
    tries: tries.map(({ ip, port, error }) => ({
      ip,
      port,
      ...(error !== undefined && { state: 'failed' }),
    })),
    ...(credential !== null && {
      authenticated_entity: {
        id: credential.id,
        ...(consumer !== null && { consumer_id: consumer.id }),
      },
    }),
    ...(plan.route !== null && { route: plan.route as Row }),
    ...(plan.service !== null && { service: plan.service as Row }),
    ...(consumer !== null && { consumer }),
    client_ip: call.line(REQUEST_LINES.clientAddress),
    started_at: request.getStartTime(),
    source: facts.source === 'service' ? 'upstream' : 'kong',
  };
  // Route, service and consumer are frozen or shared with other requests: what is added goes into copies.
  const copy = JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
  applySerializeValues(copy, call.serializeValues ?? []);
  return copy as SerializedRecord;
}

function flatten(headers: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

function hideSecrets(headers: Record<string, unknown>): Record<string, unknown> {
  for (const name of SECRET_HEADERS) if (Object.hasOwn(headers, name)) headers[name] = REDACTED;
  return headers;
}
