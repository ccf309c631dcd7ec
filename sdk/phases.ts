/**
 * What each phase hands to a handler: a call that a phase does not allow is not on its type, and throws at run time,
 * naming the phases that do allow it.
 *
 * | phase | runs | may answer | failure |
 * | --- | --- | --- | --- |
 * | rewrite | before routing, for instances attached to nothing: no route, service or consumer yet | yes | the client gets 500 |
 * | access | before the upstream, in descending priority, until one answers | yes | the client gets 500 |
 * | transformRequest | before the client's body goes to the service | no | the client gets 500 |
 * | response | when the head of the answer is known | yes, before the body | logged |
 * | transformResponse | before the service's body goes to the client | no | 500, or a cut connection |
 * | log | after the last byte or the abort, in batches, always | no | logged |
 */
import type { QueueWriter } from './background.ts';
import type { ValueCache } from './cache.ts';
import type { ClientAddressReader, ClientAuthenticator, ClientReader } from './client.ts';
import type { CounterReader } from './counters.ts';
import type { Cryptography } from './crypto.ts';
import type { EntityReader } from './entities.ts';
import type { Fetch } from './fetch.ts';
import type { Logger, RecordSerializer } from './log.ts';
import type { MetricWriter } from './metrics.ts';
import type { NodeReader } from './node.ts';
import type { LogFacts } from './protocol/phase-call.ts';
import type { RequestBodyReader, RequestReader, UriCaptureReader } from './request.ts';
import type {
  ResponseExit,
  ResponseHeaderWriter,
  ResponseReader,
  ServiceResponseHead,
  ServiceResponseReader,
} from './response.ts';
import type { RouterReader } from './router.ts';
import type { ServiceTargetWriter } from './service.ts';
import type { ServiceRequestWriter } from './service-request.ts';
import type { TraceExporter, TraceReader, TraceWriter } from './tracing.ts';
import type { VaultReader } from './vault.ts';

/** The running instance of the plugin: ids of its entity and of what it is attached to (null: unscoped). */
export interface PluginReader {
  /** Of the instance, as in `/plugins/{id}`. */
  getId(): string;
  /** The route it is attached to; null for none. */
  getRouteId(): string | null;
  /** The service it is attached to; null for none. */
  getServiceId(): string | null;
}

/** Values that live as long as the request. */
export interface RequestContext {
  /** Common to all plugins: plain data only. */
  readonly shared: Record<string, unknown>;
  /**
   * Of the running instance alone, of any kind. Kept in the isolate: a package that is replaced in the middle of the
   * request loses it, as does a request that outlives 5000 others. Throws a TypeError in `log` when the plugin's
   * `logRecord` is `summary`.
   */
  readonly plugin: Record<string, unknown>;
}

/** Phases: all. */
export interface IpReader {
  /** Whether the setting `trusted_ips` names it: its `X-Forwarded-*` headers count. */
  isTrusted(address: string): boolean;
}

interface EveryPhase {
  readonly router: RouterReader;
  readonly plugin: PluginReader;
  readonly ctx: RequestContext;
  readonly log: Logger;
  readonly metrics: MetricWriter;
  readonly node: NodeReader;
  readonly fetch: Fetch;
  readonly cache: ValueCache;
  readonly ip: IpReader;
  readonly vault: VaultReader;
  /** Throws a TypeError where the plugin has no `onBatch`. */
  readonly queue: QueueWriter;
}

/** Nothing is known yet but the request: what is changed of it counts when it is routed. */
export interface RewriteKong extends EveryPhase {
  readonly request: RequestReader & RequestBodyReader;
  readonly service: ServiceTargetWriter & { readonly request: ServiceRequestWriter };
  readonly response: ResponseHeaderWriter & ResponseExit;
  readonly client: ClientAddressReader;
  readonly counters: CounterReader;
  readonly crypto: Cryptography;
}

/** What `access` is handed: everything but the answer, which is not there yet. */
export interface AccessKong extends EveryPhase {
  readonly request: RequestReader & RequestBodyReader & UriCaptureReader;
  readonly service: ServiceTargetWriter & { readonly request: ServiceRequestWriter };
  readonly response: ResponseHeaderWriter & ResponseExit;
  readonly client: ClientReader & ClientAuthenticator;
  readonly counters: CounterReader;
  readonly crypto: Cryptography;
  readonly entities: EntityReader;
  readonly tracing: TraceWriter;
}

/** What `response` is handed: the request can no longer be changed. */
export interface ResponseKong extends EveryPhase {
  readonly request: RequestReader;
  readonly service: { readonly response: ServiceResponseReader };
  readonly response: ResponseReader & ResponseHeaderWriter & ResponseExit;
  readonly client: ClientReader;
  readonly counters: CounterReader;
  readonly tracing: TraceReader;
}

/** Good for as long as the body passes. */
export interface TransformRequestKong extends EveryPhase {
  readonly request: RequestReader;
  readonly client: ClientReader;
  readonly counters: CounterReader;
}

/** Good for as long as the body passes. The head is settled by now: change it in `response`. */
export interface TransformResponseKong extends EveryPhase {
  readonly request: RequestReader;
  readonly response: ResponseReader;
  readonly client: ClientReader;
  readonly counters: CounterReader;
}

/** What `log` is handed: all is over, and can only be read. */
export interface LogKong extends EveryPhase {
  /** Throws a TypeError when the plugin's `logRecord` is `summary`. */
  readonly request: RequestReader;
  readonly service: { readonly response: ServiceResponseHead };
  readonly response: ResponseReader;
  readonly client: ClientReader;
  readonly log: Logger & RecordSerializer;
  /** Latencies, sizes, status and source of the finished request. */
  readonly record: LogFacts;
  readonly tracing: TraceExporter;
}
