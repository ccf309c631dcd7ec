/**
 * From what was noted of a request to its spans. Names and attributes are Kong's (contract/plugins.md section 4);
 * beside them stand those of the stable semantic conventions for HTTP, so that either kind of dashboard works. Pure.
 */
import type { RecordedSpans } from './instrumentations.ts';
import { maskSecrets } from './mask-secrets.ts';
import type { NameLookup, PluginRun, RequestTrace, UpstreamTry } from './request-trace.ts';
import type { SpanAttributes, SpanRecord } from './span-record.ts';
import { createSpanId } from './trace-ids.ts';

/** What is known of a request besides its trace. */
export interface TracedRequest {
  readonly requestId: string;
  readonly method: string;
  readonly scheme: string;
  /** Host header as sent. */
  readonly host: string | undefined;
  readonly rawPath: string;
  readonly rawQuery: string | undefined;
  readonly httpVersion: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly userAgent: string | undefined;
  readonly receivedAtMs: number;
  readonly endedAtMs: number;
  readonly status: number;
  /** First path of the matched route, or ''. */
  readonly route: string;
  /** Undefined when no service was matched. */
  readonly upstream:
    | { readonly host: string; readonly port: number; readonly method: string; readonly status: number }
    | undefined;
}

const NAME_OF_PHASE = { access: 'access', response: 'header_filter' } as const;
const FIRST_SERVER_ERROR = 500;

export function describeSpans(
  trace: RequestTrace,
  request: TracedRequest,
  recorded: RecordedSpans,
): readonly SpanRecord[] {
  const child = (span: Omit<SpanRecord, 'traceId' | 'parentSpanId' | 'hasRemoteParent'>): SpanRecord => ({
    ...span,
    traceId: trace.traceId,
    parentSpanId: trace.spanId,
    hasRemoteParent: false,
  });
  const spans: SpanRecord[] = [describeRequest(trace, request)];
  if (recorded.router && trace.routerStartedAtMs > 0) spans.push(child(describeRouter(trace)));
  for (const run of trace.runs) if (recorded[run.phase]) spans.push(child(describeRun(run)));
  if (recorded.dns) {
    for (const lookup of trace.lookups) spans.push(child(describeLookup(lookup, request)));
  }
  if (recorded.balancer) {
    const last = trace.tries.length - 1;
    for (const [at, attempt] of trace.tries.entries()) {
      const spanId = at === last ? trace.upstreamSpanId : createSpanId();
      spans.push(child({ ...describeTry(attempt, at + 1, request), spanId }));
    }
  }
  return spans;
}

type OwnPart = Omit<SpanRecord, 'traceId' | 'parentSpanId' | 'hasRemoteParent'>;

function describeRequest(trace: RequestTrace, request: TracedRequest): SpanRecord {
  const { scheme, host = '', rawPath, status } = request;
  const query = request.rawQuery === undefined ? undefined : maskSecrets(request.rawQuery);
  const isError = status >= FIRST_SERVER_ERROR;
  return {
    name: 'kong',
    kind: 'server',
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    hasRemoteParent: trace.parentSpanId !== '',
    startedAtMs: request.receivedAtMs,
    endedAtMs: request.endedAtMs,
    attributes: withoutUndefined({
      'http.method': request.method,
      'http.url': `${scheme}://${host}${rawPath}${query === undefined ? '' : `?${query}`}`,
      'http.host': host,
      'http.scheme': scheme,
      'http.flavor': Number(request.httpVersion),
      'http.client_ip': request.clientAddress,
      'net.peer.ip': request.peerAddress,
      'kong.request.id': request.requestId,
      'http.status_code': status,
      'http.route': request.route,
      'http.request.method': request.method,
      'http.response.status_code': status,
      'url.scheme': scheme,
      'url.path': rawPath,
      'url.query': query,
      'server.address': host.replace(/:\d+$/, ''),
      'server.port': request.localPort,
      'client.address': request.clientAddress,
      'network.peer.address': request.peerAddress,
      'network.protocol.version': request.httpVersion,
      'user_agent.original': request.userAgent,
      'error.type': isError ? String(status) : undefined,
    }),
    isError,
    exception: '',
  };
}

function describeRouter({ routerStartedAtMs, routerEndedAtMs }: RequestTrace): OwnPart {
  return {
    name: 'kong.router',
    kind: 'internal',
    spanId: createSpanId(),
    startedAtMs: routerStartedAtMs,
    endedAtMs: routerEndedAtMs,
    attributes: {},
    isError: false,
    exception: '',
  };
}

function describeRun({ phase, plugin, startedAtMs, endedAtMs, error }: PluginRun): OwnPart {
  return {
    name: `kong.${NAME_OF_PHASE[phase]}.plugin.${plugin}`,
    kind: 'internal',
    spanId: createSpanId(),
    startedAtMs,
    endedAtMs,
    attributes: {},
    isError: error !== '',
    exception: error,
  };
}

function describeLookup({ name, startedAtMs, endedAtMs, ip }: NameLookup, request: TracedRequest): OwnPart {
  return {
    name: 'kong.dns',
    kind: 'client',
    spanId: createSpanId(),
    startedAtMs,
    endedAtMs: endedAtMs || request.endedAtMs,
    attributes: withoutUndefined({
      'dns.record.domain': name,
      'dns.record.port': request.upstream?.port,
      'dns.record.ip': ip,
    }),
    isError: endedAtMs > 0 && ip === undefined,
    exception: '',
  };
}

/** `number` counts from 1. */
function describeTry(attempt: UpstreamTry, number: number, request: TracedRequest): Omit<OwnPart, 'spanId'> {
  const { ip, port, error, startedAtMs, endedAtMs } = attempt;
  const { upstream } = request;
  const status = error === undefined ? upstream?.status || undefined : error.status;
  return {
    name: 'kong.balancer',
    kind: 'client',
    startedAtMs,
    endedAtMs: endedAtMs || request.endedAtMs,
    attributes: withoutUndefined({
      try_count: number,
      'net.peer.ip': ip,
      'net.peer.port': port,
      'net.peer.name': upstream?.host,
      'http.status_code': status,
      'http.request.method': upstream?.method,
      'http.request.resend_count': number > 1 ? number - 1 : undefined,
      'http.response.status_code': error === undefined ? status : undefined,
      'server.address': upstream?.host,
      'server.port': port,
      'network.peer.address': ip,
      'network.peer.port': port,
      'error.type': error?.code,
    }),
    isError: error !== undefined,
    exception: '',
  };
}

function withoutUndefined(
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
): SpanAttributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
    ),
  );
}
