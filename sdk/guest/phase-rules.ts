/**
 * Which call is allowed in which phase: what `phases.ts` says in types, for those who write JavaScript. The two are
 * held to each other by test/types/phases.ts. Source: contract/pdk.md section 2.
 */
import type { PhaseName } from '../protocol/manifest.ts';

const ALL = ['rewrite', 'access', 'response', 'log'] as const;
/** Before the service is asked. */
const UNSENT = ['rewrite', 'access'] as const;
/** Before the client is answered. */
const UNANSWERED = ['rewrite', 'access', 'response'] as const;
/** With a route, and what there is on it. */
const ROUTED = ['access', 'response', 'log'] as const;
const ANSWERED = ['response', 'log'] as const;

export const PHASE_RULES = {
  'request.getScheme': ALL,
  'request.getHost': ALL,
  'request.getPort': ALL,
  'request.getHttpVersion': ALL,
  'request.getMethod': ALL,
  'request.getPath': ALL,
  'request.getRawPath': ALL,
  'request.getPathWithQuery': ALL,
  'request.getRawQuery': ALL,
  'request.getQueryArg': ALL,
  'request.getQuery': ALL,
  'request.getHeader': ALL,
  'request.getHeaderValues': ALL,
  'request.getHeaders': ALL,
  'request.getForwardedScheme': ALL,
  'request.getForwardedHost': ALL,
  'request.getForwardedPort': ALL,
  'request.getForwardedPath': ALL,
  'request.getForwardedPrefix': ALL,
  'request.getStartTime': ALL,
  'request.getId': ALL,
  'request.getRawBody': UNSENT,
  'request.getBody': UNSENT,
  'request.getUriCaptures': ['access'],

  'service.setTarget': UNSENT,
  'service.setUpstream': UNSENT,
  'service.setRetries': UNSENT,
  'service.setTimeouts': UNSENT,
  'service.request.setHeader': UNSENT,
  'service.request.addHeader': UNSENT,
  'service.request.clearHeader': UNSENT,
  'service.request.setHeaders': UNSENT,
  'service.request.setScheme': UNSENT,
  'service.request.setMethod': UNSENT,
  'service.request.setPath': UNSENT,
  'service.request.setRawQuery': UNSENT,
  'service.request.setQuery': UNSENT,
  'service.request.clearQueryArg': UNSENT,
  'service.request.setRawBody': UNSENT,
  'service.request.setBody': UNSENT,
  'service.response.getStatus': ANSWERED,
  'service.response.getHeader': ANSWERED,
  'service.response.getHeaders': ANSWERED,
  'service.response.getRawBody': ['response'],
  'service.response.getBody': ['response'],

  'response.setStatus': UNANSWERED,
  'response.setHeader': UNANSWERED,
  'response.addHeader': UNANSWERED,
  'response.clearHeader': UNANSWERED,
  'response.setHeaders': UNANSWERED,
  'response.exit': UNANSWERED,
  'response.error': UNANSWERED,
  'response.getStatus': ANSWERED,
  'response.getSource': ANSWERED,
  'response.getHeader': ANSWERED,
  'response.getHeaders': ANSWERED,

  'client.getIp': ALL,
  'client.getForwardedIp': ALL,
  'client.getProtocol': ROUTED,
  'client.getConsumer': ROUTED,
  'client.getCredential': ROUTED,
  'client.authenticate': ['access'],
  'client.loadConsumer': ['access'],

  'router.getRoute': ALL,
  'router.getService': ALL,
  'plugin.getId': ALL,
  'plugin.getRouteId': ALL,
  'plugin.getServiceId': ALL,
  'node.getId': ALL,
  'node.getHostname': ALL,
  'node.getPid': ALL,
  'node.getAddress': ALL,
  'ip.isTrusted': ALL,
  'vault.isReference': ALL,
  'vault.parseReference': ALL,
  'cache.get': ALL,
  'cache.invalidate': ALL,
  'metrics.increment': ALL,
  'metrics.observe': ALL,
  'metrics.counter': ALL,
  'metrics.histogram': ALL,
  fetch: ALL,
  'queue.push': ALL,

  'counters.take': UNANSWERED,
  'crypto.digest': UNSENT,
  'crypto.verify': UNSENT,
  'crypto.isEqual': UNSENT,
  'entities.find': ['access'],
  'entities.list': ['access'],

  'tracing.getContext': ROUTED,
  'tracing.isRecording': ['access'],
  'tracing.isSampledAt': ['access'],
  'tracing.join': ['access'],
  'tracing.export': ['log'],

  'log.debug': ALL,
  'log.info': ALL,
  'log.notice': ALL,
  'log.warn': ALL,
  'log.err': ALL,
  'log.crit': ALL,
  'log.alert': ALL,
  'log.emerg': ALL,
  'log.deprecation': ALL,
  'log.inspect': ALL,
  'log.setSerializeValue': ALL,
  'log.serialize': ['log'],
} as const satisfies Readonly<Record<string, readonly PhaseName[]>>;

export type MethodName = keyof typeof PHASE_RULES;
