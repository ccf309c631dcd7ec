/**
 * What each phase hands to a handler. Members a phase does not allow are not there at all; those it allows are made
 * when they are first asked for, since most handlers use a few.
 */
import type { ValueCache } from '../cache.ts';
import type { FetchedResponse, FetchOptions } from '../fetch.ts';
import type { MetricWriter } from '../metrics.ts';
import type { NodeReader } from '../node.ts';
import type { AccessKong, IpReader, LogKong, PluginReader, RequestContext, ResponseKong } from '../phases.ts';
import { decodeLogFacts, type LogFacts, type ResponseFacts } from '../protocol/phase-call.ts';
import type { RouterReader } from '../router.ts';
import { CallLogger } from './call-logger.ts';
import type { CallState } from './call-state.ts';
import { AccessClientView, ClientView } from './client-view.ts';
import { ContextView } from './context-view.ts';
import { CountersView } from './counters.ts';
import { CryptoView } from './crypto.ts';
import { EntitiesView } from './entity-reader.ts';
import { fetchThroughHost } from './fetch.ts';
import { joinHeaders } from './header-lines.ts';
import { metricWriter } from './metric-store.ts';
import { ipView, nodeView } from './node-view.ts';
import { AccessRequestView, RequestView } from './request-view.ts';
import { ResponseEditor, ResponseRecorder, ResponseView } from './response-recorder.ts';
import { PluginView, RouterView } from './route-view.ts';
import { ServiceRequestRecorder } from './service-request-recorder.ts';
import { TraceExporterView, TraceView, TraceWriterView } from './tracing-view.ts';
import { CacheView } from './value-cache.ts';

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
    this.#log ??= new CallLogger(this.call);
    return this.#log;
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

  fetch(url: string, options?: FetchOptions): Promise<FetchedResponse> {
    return fetchThroughHost(this.call, url, options);
  }
}

export class AccessKongView extends KongView implements AccessKong {
  #request: AccessRequestView | undefined;
  #client: AccessClientView | undefined;
  #service: { readonly request: ServiceRequestRecorder } | undefined;
  #response: ResponseRecorder | undefined;

  get request(): AccessRequestView {
    this.#request ??= new AccessRequestView(this.call);
    return this.#request;
  }

  get client(): AccessClientView {
    this.#client ??= new AccessClientView(this.call);
    return this.#client;
  }

  get service(): { readonly request: ServiceRequestRecorder } {
    this.#service ??= { request: new ServiceRequestRecorder(this.call) };
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

  get entities(): EntitiesView {
    return new EntitiesView(this.call);
  }

  get tracing(): TraceWriterView {
    return new TraceWriterView(this.call);
  }
}

export class ResponseKongView extends KongView implements ResponseKong {
  readonly request: RequestView;
  readonly client: ClientView;
  readonly counters: CountersView;
  readonly response: ResponseEditor;
  readonly service: ResponseKong['service'];

  constructor(call: CallState) {
    super(call);
    const facts = JSON.parse(call.phaseFacts) as ResponseFacts;
    this.request = new RequestView(call);
    this.client = new ClientView(call);
    this.counters = new CountersView(call);
    this.response = new ResponseEditor(call, facts, joinHeaders(facts.headers));
    const status = facts.source === 'service' ? facts.status : undefined;
    this.service = { response: { getStatus: () => status, getRawBody: () => facts.body } };
  }

  get tracing(): TraceView {
    return new TraceView(this.call);
  }
}

export class LogKongView extends KongView implements LogKong {
  readonly record: LogFacts;

  constructor(call: CallState) {
    super(call);
    this.record = decodeLogFacts(call.phaseFacts);
  }

  get request(): RequestView {
    const { name, logRecord } = this.call.instance?.plugin ?? {};
    if (logRecord === 'summary')
      throw new TypeError(`log records of '${name}' are summaries, without the request`);
    return new RequestView(this.call);
  }

  get client(): ClientView {
    return new ClientView(this.call);
  }

  get response(): ResponseView {
    return new ResponseView(this.record);
  }

  get tracing(): TraceExporterView {
    return new TraceExporterView(this.call);
  }
}
