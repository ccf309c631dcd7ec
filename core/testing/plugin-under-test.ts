/** The test kit as its users have it: one call after the other, each with a configuration and a moment of its own. */
import type { PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { LogFacts, ResponseSource } from '../../sdk/protocol/phase-call.ts';
import type {
  AccessReport,
  AnswerReport,
  Configuration,
  ElapsedReport,
  LogReport,
  PluginKit,
  RequestReport,
  ResponseReport,
  RewriteReport,
  ServiceRequest,
  TestAnswer,
  TestClock,
  TestRequest,
  TestServers,
} from '../../sdk/testing/kit.ts';
import { applyHeaderOverrides } from '../gateway/response-headers.ts';
import { withClock } from './fake-clock.ts';
import type { IsolateUnderTest } from './isolate-under-test.ts';
import type { MemoryHost } from './memory-host.ts';
import { type FlatAnswer, Passage } from './passage.ts';
import { readMetrics } from './read-metrics.ts';
import type { SettableClock } from './settable-clock.ts';
import { flattenHeaders, reportBody, toHeaders, toPieces } from './test-call.ts';

const ROUTE = { id: '00000000-0000-4000-8000-000000000001', name: 'test-route' };
const SERVICE = { id: '00000000-0000-4000-8000-000000000002', name: 'test-service', host: 'localhost' };
const INSTANCE_ID = '00000000-0000-4000-8000-000000000003';

export interface KitParts {
  readonly isolate: IsolateUnderTest;
  readonly host: MemoryHost;
  readonly servers: TestServers;
  readonly clock: TestClock;
  /** That of queues and timers. */
  readonly time: SettableClock;
  readonly manifest: PluginManifest;
  readonly complete: (config: Configuration) => Configuration;
}

export class PluginUnderTest implements PluginKit {
  readonly manifest: PluginManifest;
  readonly clock: TestClock;
  readonly rows: MemoryHost;
  readonly counters: MemoryHost;
  readonly servers: TestServers;
  readonly complete: (config: Configuration) => Configuration;
  readonly #isolate: IsolateUnderTest;
  readonly #time: SettableClock;
  #generation = 0;
  /** Of the call before, as it was given. */
  #config: Configuration = {};
  /** Settles when the call before is over. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ isolate, host, servers, clock, time, manifest, complete }: KitParts) {
    this.servers = servers;
    this.#isolate = isolate;
    this.#time = time;
    this.rows = host;
    this.counters = host;
    this.clock = clock;
    this.manifest = manifest;
    this.complete = complete;
  }

  request(
    request?: TestRequest,
    config?: Configuration,
    service: TestAnswer | ((request: ServiceRequest) => TestAnswer) = {},
  ): Promise<RequestReport> {
    return this.#pass(request, config, async (passage) => {
      const exit = (await passage.rewrite()) ?? (await passage.access());
      if (exit === undefined) await passage.transformRequest();
      const { serviceRequest } = passage;
      const source = exit === undefined ? 'service' : 'exit';
      const answer = typeof service === 'function' && exit === undefined ? service(serviceRequest) : service;
      const served = flatten(typeof answer === 'function' ? {} : answer);
      const step = await passage.response(exit ?? passage.serve(served), source);
      this.#isolate.throwLoggedFailure('response');
      const upstreamStatus = exit === undefined ? served.status : 0;
      const isReplaced = step.exit !== undefined;
      const isServed = exit === undefined && !isReplaced;
      const client = isServed ? await passage.transformResponse() : step.answer;
      passage.log({ status: step.answer.status, source: isReplaced ? 'exit' : source, upstreamStatus });
      const end = step.exit ?? exit;
      return {
        exit: end && toReport(end),
        serviceRequest: exit === undefined ? serviceRequest : undefined,
        response: toReport(client),
        consumer: passage.consumer,
        shared: passage.shared,
        ...(await this.#observe('log')),
      };
    });
  }

  rewrite(request?: TestRequest, config?: Configuration): Promise<RewriteReport> {
    return this.#pass(request, config, async (passage) =>
      this.#reportUnsent(passage, await passage.rewrite(), 'rewrite'),
    );
  }

  access(request?: TestRequest, config?: Configuration): Promise<AccessReport> {
    return this.#pass(request, config, async (passage) => ({
      ...(await this.#reportUnsent(passage, await passage.access(), 'access')),
      consumer: passage.consumer,
      credential: passage.credential,
    }));
  }

  async #reportUnsent(
    passage: Passage,
    exit: FlatAnswer | undefined,
    phase: 'rewrite' | 'access',
  ): Promise<RewriteReport> {
    return {
      exit: exit && toReport(exit),
      serviceRequest: passage.serviceRequest,
      response: { headers: toHeaders(applyHeaderOverrides([], passage.responseTriples)) },
      shared: passage.shared,
      ...(await this.#observe(phase)),
    };
  }

  response(
    request?: TestRequest,
    config?: Configuration,
    answer: TestAnswer & { readonly source?: ResponseSource } = {},
  ): Promise<ResponseReport> {
    return this.#pass(request, config, async (passage) => {
      const { source = 'service' } = answer;
      const given = flatten(answer);
      const step = await passage.response(source === 'service' ? passage.serve(given) : given, source);
      return {
        exit: step.exit && toReport(step.exit),
        response: toReport(step.answer),
        shared: passage.shared,
        ...(await this.#observe('response')),
      };
    });
  }

  log(request?: TestRequest, config?: Configuration, record: Partial<LogFacts> = {}): Promise<LogReport> {
    return this.#pass(request, config, async (passage) => {
      passage.log(record);
      return this.#observe('log');
    });
  }

  elapse(ms: number, config?: Configuration): Promise<ElapsedReport> {
    return this.#inTurn({}, config, async (setClock) => {
      // Who wants to know of the configuration hears of it before anything is due.
      await this.#isolate.settle();
      const endMs = this.#time.nowMs() + ms;
      const goOn = async (toMs: number): Promise<void> => {
        this.clock.advance(toMs - this.#time.nowMs());
        setClock();
        this.#time.advance(toMs - this.#time.nowMs());
        await this.#isolate.settle();
      };
      for (let next = this.#nextBefore(endMs); next !== undefined; next = this.#nextBefore(endMs))
        await goOn(next);
      await goOn(endMs);
      return this.#observe('timers');
    });
  }

  #nextBefore(endMs: number): number | undefined {
    const nextMs = this.#time.nextAtMs();
    return nextMs === undefined || nextMs > endMs ? undefined : nextMs;
  }

  get queued(): number {
    return this.#isolate.queued;
  }

  close(): void {
    this.#isolate.dispose();
  }

  #pass<Report>(
    request: TestRequest = {},
    config: Configuration = {},
    run: (passage: Passage) => Promise<Report>,
  ): Promise<Report> {
    return this.#inTurn(request, config, (_, generation) =>
      run(new Passage(this.#isolate, this.manifest, request, generation, this.clock.now())),
    );
  }

  /** `run` gets a function that has the isolate see the clock as it is by then. */
  #inTurn<Report>(
    request: TestRequest,
    config: Configuration | undefined,
    run: (setClock: () => void, generation: number) => Promise<Report>,
  ): Promise<Report> {
    const passed = this.#turn.then(async () => {
      const generation = ++this.#generation;
      const completed = this.complete(config ?? this.#config);
      this.#config = config ?? this.#config;
      const setClock = () => this.#configure(generation, request, completed, this.clock.now());
      setClock();
      try {
        return await run(setClock, generation);
      } finally {
        await this.#isolate.settle();
        this.#isolate.forgetGeneration(generation);
      }
    });
    this.#turn = passed.catch(() => {});
    return passed;
  }

  #configure(generation: number, request: TestRequest, config: Configuration, nowMs: number): void {
    const { name } = this.manifest;
    const route = { ...ROUTE, ...request.route };
    const service = { ...SERVICE, ...request.service };
    const step = { plugin: name, consumerAndRoute: {}, routeAndService: -1, fallback: 0 };
    const instance = { id: INSTANCE_ID, plugin: name, config, routeId: String(route.id), serviceId: null };
    const plans = [{ route, service, steps: [step] }];
    const { upstreams = [] } = request;
    const configuration = { generation, instances: [instance], plans, consumers: {}, upstreams };
    this.#isolate.configure(withClock(configuration, nowMs));
  }

  /** What the plugin has said and counted in this call. Throws PluginFailure when a handler's failure is in the log. */
  async #observe(phase: 'rewrite' | 'access' | 'response' | 'log' | 'timers'): Promise<LogReport> {
    await this.#isolate.settle();
    for (const each of [phase, 'configure'] as const) this.#isolate.throwLoggedFailure(each);
    const metrics = readMetrics(this.manifest, this.#isolate.collectMetrics());
    return { log: this.#isolate.lines(), metrics };
  }
}

function flatten({ status = 200, headers = {}, body }: TestAnswer): FlatAnswer {
  return { status, headers: flattenHeaders(headers), pieces: toPieces(body) };
}

function toReport({ status, headers, pieces }: FlatAnswer): AnswerReport {
  return { status, headers: toHeaders(headers), ...reportBody(pieces) };
}
