/** Assembles what each phase hands to a handler. Members a phase does not allow are not there at all. */
import type { Logger } from '../log.ts';
import type { MetricWriter } from '../metrics.ts';
import type { AccessKong, LogKong, PluginReader, RequestContext, ResponseKong } from '../phases.ts';
import { CALL_LINES, decodeLogFacts, type ResponseFacts } from '../protocol/phase-call.ts';
import type { LogLevel } from '../protocol/phase-result.ts';
import type { MatchedRoute, MatchedService, RouterReader } from '../router.ts';
import type { CallState } from './call-state.ts';
import { ClientView } from './client-view.ts';
import { takeFromCounters } from './counters.ts';
import { createEntityReader } from './entity-reader.ts';
import { joinHeaders } from './header-lines.ts';
import { incrementCounter, observeValue } from './metric-store.ts';
import { RequestView } from './request-view.ts';
import { ResponseEditor, ResponseRecorder, ResponseView } from './response-recorder.ts';
import { ServiceRequestRecorder } from './service-request-recorder.ts';

export function createAccessKong(call: CallState): AccessKong {
  return {
    ...createCommonMembers(call),
    request: new RequestView(call),
    service: { request: new ServiceRequestRecorder(call) },
    response: new ResponseRecorder(call),
    client: new ClientView(call),
    counters: { take: (windows, cost) => takeFromCounters(call, windows, cost) },
    entities: createEntityReader(call),
  };
}

export function createResponseKong(call: CallState): ResponseKong {
  const facts = JSON.parse(call.line(CALL_LINES.extra)) as ResponseFacts;
  return {
    ...createCommonMembers(call),
    request: new RequestView(call),
    service: {
      response: {
        getStatus: () => (facts.source === 'service' ? facts.status : undefined),
        getRawBody: () => facts.body,
      },
    },
    response: new ResponseEditor(call, facts, joinHeaders(facts.headers)),
    client: new ClientView(call),
    counters: { take: (windows, cost) => takeFromCounters(call, windows, cost) },
  };
}

export function createLogKong(call: CallState): LogKong {
  const record = decodeLogFacts(call.line(CALL_LINES.extra));
  return {
    ...createCommonMembers(call),
    request: new RequestView(call),
    response: new ResponseView(record),
    client: new ClientView(call),
    record,
  };
}

interface CommonMembers {
  readonly router: RouterReader;
  readonly plugin: PluginReader;
  readonly ctx: RequestContext;
  readonly log: Logger;
  readonly metrics: MetricWriter;
}

function createCommonMembers(call: CallState): CommonMembers {
  return {
    router: new RouterView(call),
    plugin: new PluginView(call),
    ctx: new ContextView(call),
    log: new CallLogger(call),
    metrics,
  };
}

const metrics: MetricWriter = {
  increment: (name, labels, by = 1) => incrementCounter(name, labels, by),
  observe: observeValue,
};

class RouterView implements RouterReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  getRoute(): MatchedRoute | undefined {
    return (this.#call.plan.route ?? undefined) as MatchedRoute | undefined;
  }

  getService(): MatchedService | undefined {
    return (this.#call.plan.service ?? undefined) as MatchedService | undefined;
  }
}

class PluginView implements PluginReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  getId(): string {
    return this.#call.instance?.id ?? '';
  }

  getRouteId(): string | null {
    return this.#call.instance?.routeId ?? null;
  }

  getServiceId(): string | null {
    return this.#call.instance?.serviceId ?? null;
  }
}

class ContextView implements RequestContext {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  get shared(): Record<string, unknown> {
    return this.#call.sharedContext();
  }
}

class CallLogger implements Logger {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  debug(...parts: readonly unknown[]): void {
    this.#write('debug', parts);
  }

  info(...parts: readonly unknown[]): void {
    this.#write('info', parts);
  }

  notice(...parts: readonly unknown[]): void {
    this.#write('notice', parts);
  }

  warn(...parts: readonly unknown[]): void {
    this.#write('warn', parts);
  }

  err(...parts: readonly unknown[]): void {
    this.#write('err', parts);
  }

  crit(...parts: readonly unknown[]): void {
    this.#write('crit', parts);
  }

  #write(level: LogLevel, parts: readonly unknown[]): void {
    this.#call.log(level, parts.map(String).join(''));
  }
}
