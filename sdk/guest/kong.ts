/**
 * What each phase hands to a handler. Members are made when they are first asked for, since most handlers use a few;
 * those a phase does not allow say so (phase-guard.ts).
 */
import type { BackgroundKong, BatchKong, QueueWriter } from '../background.ts';
import type { ValueCache } from '../cache.ts';
import type { FetchedResponse, FetchOptions } from '../fetch.ts';
import type { MetricWriter } from '../metrics.ts';
import type { NodeReader } from '../node.ts';
import type {
  AccessKong,
  IpReader,
  LogKong,
  PluginReader,
  RequestContext,
  ResponseKong,
  RewriteKong,
  TransformRequestKong,
  TransformResponseKong,
} from '../phases.ts';
import { decodeLogFacts, type LogFacts, type ResponseFacts } from '../protocol/phase-call.ts';
import type { RouterReader } from '../router.ts';
import type { VaultReader } from '../vault.ts';
import { CallLogger, SerializingLogger } from './call-logger.ts';
import type { CallState } from './call-state.ts';
import { AccessClientView, ClientAddressView, ClientView } from './client-view.ts';
import { ContextView } from './context-view.ts';
import { CountersView } from './counters.ts';
import { CryptoView } from './crypto.ts';
import { EntitiesView } from './entity-reader.ts';
import { fetchThroughHost } from './fetch.ts';
import { metricWriter } from './metric-store.ts';
import { ipView, nodeView } from './node-view.ts';
import { refuseTheRest } from './phase-guard.ts';
import { QueueView } from './queue-view.ts';
import { AccessRequestView, RequestView, UnsentRequestView } from './request-view.ts';
import { ResponseEditor, ResponseRecorder } from './response-recorder.ts';
import {
  AnswerHeadView,
  LoggedResponseView,
  requireFullRecord,
  ServiceResponseHeadView,
  ServiceResponseView,
} from './response-view.ts';
import { PluginView, RouterView } from './route-view.ts';
import { ServiceView } from './service-view.ts';
import { TraceExporterView, TraceView, TraceWriterView } from './tracing-view.ts';
import { CacheView } from './value-cache.ts';
import { vaultView } from './vault-view.ts';

class KongView {
  protected readonly call: CallState;
  #router: RouterView | undefined;
  #plugin: PluginView | undefined;
  #log: CallLogger | undefined;

  constructor(call: CallState) {
    this.call = call;
  }

  get router(): RouterReader {
    this.#router ??= new RouterView(this.call);
    return this.#router;
  }

  get plugin(): PluginReader {
    this.#plugin ??= new PluginView(this.call);
    return this.#plugin;
  }

  get log(): CallLogger {
    this.#log ??= this.makeLogger();
    return this.#log;
  }

  protected makeLogger(): CallLogger {
    return new CallLogger(this.call);
  }

  get ctx(): RequestContext {
    return new ContextView(this.call);
  }

  get metrics(): MetricWriter {
    return metricWriter;
  }

  get cache(): ValueCache {
    return new CacheView(this.call);
  }

  get ip(): IpReader {
    return ipView;
  }

  get node(): NodeReader {
    return nodeView;
  }

  get vault(): VaultReader {
    return vaultView;
  }

  get queue(): QueueWriter {
    return new QueueView(this.call);
  }

  fetch(url: string, options?: FetchOptions): Promise<FetchedResponse> {
    return fetchThroughHost(this.call, url, options);
  }
}

/** Before the service is asked. */
class UnsentKongView extends KongView {
  #service: ServiceView | undefined;
  #response: ResponseRecorder | undefined;

  get service(): ServiceView {
    this.#service ??= new ServiceView(this.call);
    return this.#service;
  }

  get response(): ResponseRecorder {
    this.#response ??= new ResponseRecorder(this.call);
    return this.#response;
  }

  get counters(): CountersView {
    return new CountersView(this.call);
  }

  get crypto(): CryptoView {
    return new CryptoView(this.call);
  }
}

export class RewriteKongView extends UnsentKongView implements RewriteKong {
  get request(): UnsentRequestView {
    return new UnsentRequestView(this.call);
  }

  get client(): ClientAddressView {
    return new ClientAddressView(this.call);
  }
}

export class AccessKongView extends UnsentKongView implements AccessKong {
  #request: AccessRequestView | undefined;
  #client: AccessClientView | undefined;

  get request(): AccessRequestView {
    this.#request ??= new AccessRequestView(this.call);
    return this.#request;
  }

  get client(): AccessClientView {
    this.#client ??= new AccessClientView(this.call);
    return this.#client;
  }

  get entities(): EntitiesView {
    return new EntitiesView(this.call);
  }

  get tracing(): TraceWriterView {
    return new TraceWriterView(this.call);
  }
}

class AnsweredService<Response> {
  protected readonly call: CallState;
  readonly #response: Response;

  constructor(call: CallState, response: Response) {
    this.call = call;
    this.#response = response;
  }

  get response(): Response {
    return this.#response;
  }
}

export class ResponseKongView extends KongView implements ResponseKong {
  readonly #facts: ResponseFacts;
  #request: RequestView | undefined;
  #response: ResponseEditor | undefined;

  constructor(call: CallState) {
    super(call);
    this.#facts = JSON.parse(call.phaseFacts) as ResponseFacts;
  }

  get request(): RequestView {
    this.#request ??= new RequestView(this.call);
    return this.#request;
  }

  get response(): ResponseEditor {
    this.#response ??= new ResponseEditor(this.call, this.#facts);
    return this.#response;
  }

  get service(): AnsweredService<ServiceResponseView> {
    return new AnsweredService(this.call, new ServiceResponseView(this.call, this.#facts));
  }

  get client(): ClientView {
    return new ClientView(this.call);
  }

  get counters(): CountersView {
    return new CountersView(this.call);
  }

  get tracing(): TraceView {
    return new TraceView(this.call);
  }
}

class TransformKongView extends KongView {
  get request(): RequestView {
    return new RequestView(this.call);
  }

  get client(): ClientView {
    return new ClientView(this.call);
  }

  get counters(): CountersView {
    return new CountersView(this.call);
  }
}

export class TransformRequestKongView extends TransformKongView implements TransformRequestKong {}

export class TransformResponseKongView extends TransformKongView implements TransformResponseKong {
  readonly response: AnswerHeadView;

  constructor(call: CallState) {
    super(call);
    this.response = new AnswerHeadView(call, JSON.parse(call.phaseFacts) as ResponseFacts);
  }
}

export class LogKongView extends KongView implements LogKong {
  readonly record: LogFacts;

  constructor(call: CallState) {
    super(call);
    this.record = decodeLogFacts(call.phaseFacts);
  }

  override get log(): SerializingLogger {
    return super.log as SerializingLogger;
  }

  protected override makeLogger(): SerializingLogger {
    return new SerializingLogger(this.call, this.record);
  }

  get request(): RequestView {
    requireFullRecord(this.call);
    return new RequestView(this.call);
  }

  get service(): AnsweredService<ServiceResponseHeadView> {
    const { upstreamStatus } = this.record;
    return new AnsweredService(
      this.call,
      new ServiceResponseHeadView(this.call, upstreamStatus || undefined),
    );
  }

  get client(): ClientView {
    return new ClientView(this.call);
  }

  get response(): LoggedResponseView {
    return new LoggedResponseView(this.call, this.record);
  }

  get tracing(): TraceExporterView {
    return new TraceExporterView(this.call);
  }
}

export class BackgroundKongView implements BackgroundKong {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  get log(): CallLogger {
    return new CallLogger(this.call);
  }

  get metrics(): MetricWriter {
    return metricWriter;
  }

  get node(): NodeReader {
    return nodeView;
  }

  get ip(): IpReader {
    return ipView;
  }

  get cache(): ValueCache {
    return new CacheView(this.call);
  }

  get counters(): CountersView {
    return new CountersView(this.call);
  }

  get crypto(): CryptoView {
    return new CryptoView(this.call);
  }

  get entities(): EntitiesView {
    return new EntitiesView(this.call);
  }

  fetch(url: string, options?: FetchOptions): Promise<FetchedResponse> {
    return fetchThroughHost(this.call, url, options);
  }
}

export class BatchKongView extends BackgroundKongView implements BatchKong {
  get plugin(): PluginReader {
    return new PluginView(this.call);
  }
}

/** Base classes first: what they refuse is inherited. */
const PLACES: readonly (readonly [place: string, ...views: { readonly prototype: object }[]])[] = [
  [
    '',
    RewriteKongView,
    AccessKongView,
    ResponseKongView,
    TransformRequestKongView,
    TransformResponseKongView,
    LogKongView,
  ],
  ['request', RequestView, UnsentRequestView, AccessRequestView],
  ['service', ServiceView, AnsweredService],
  ['service.response', ServiceResponseHeadView, ServiceResponseView],
  ['response', ResponseRecorder, ResponseEditor, AnswerHeadView, LoggedResponseView],
  ['client', ClientAddressView, ClientView, AccessClientView],
  ['tracing', TraceView, TraceWriterView, TraceExporterView],
  ['log', CallLogger, SerializingLogger],
];

for (const [place, ...views] of PLACES) for (const view of views) refuseTheRest(view, place);
