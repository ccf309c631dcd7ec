/** What a test hands to a plugin, and what it finds out. */
import type { Consumer, Credential } from '../client.ts';
import type { PluginManifest } from '../protocol/manifest.ts';
import type { LogFacts, ResponseSource, UriCaptures } from '../protocol/phase-call.ts';

/** By name, in any case: a list is a line for each value. */
export type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

/** A configuration as the Admin API takes it: defaults are filled in. */
export type Configuration = Readonly<Record<string, unknown>>;

type Row = Readonly<Record<string, unknown>>;

/** Whole, or in the pieces in which it arrives one after the other. */
export type TestBody = string | Uint8Array | readonly (string | Uint8Array)[];

/** A request, and what other plugins have made of it. Everything has a default. */
export interface TestRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** With the query. Default `/`. */
  readonly path?: string;
  /** `host` is `localhost` unless it is given. */
  readonly headers?: HeaderValues;
  /** Default: none. */
  readonly body?: TestBody;
  /** Default `http`. */
  readonly scheme?: 'http' | 'https';
  /** Default 127.0.0.1. */
  readonly clientAddress?: string;
  /** Whom an earlier plugin has authenticated. Default: nobody. */
  readonly consumer?: Partial<Consumer>;
  readonly credential?: Credential & Row;
  /** `kong.ctx.shared` as earlier plugins have left it. */
  readonly shared?: Row;
  /** What the groups of the route's pattern have matched. */
  readonly uriCaptures?: UriCaptures;
  /** What the route takes off the path. Default: nothing. */
  readonly strippedPrefix?: string;
  /** Names of the upstreams there are. Default: none. */
  readonly upstreams?: readonly string[];
  /** Members of the route and the service that matched, on top of an id and a name. */
  readonly route?: Row;
  readonly service?: Row;
}

/** An answer to put in. */
export interface TestAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: HeaderValues;
  /** Default ''. */
  readonly body?: TestBody;
}

/** A body that came out. */
export interface BodyReport {
  readonly body: string;
  /**
   * The body as it went on, piece by piece: what came in, or what `transformRequest` and `transformResponse` have put in its
   * place. What is no UTF-8 shows as U+FFFD.
   */
  readonly pieces: readonly string[];
}

/** An answer that came out. */
export interface AnswerReport extends BodyReport {
  readonly status: number;
  readonly headers: Headers;
}

/** The request as the service would get it, but for headers in which the gateway speaks of itself. */
export interface ServiceRequest extends BodyReport {
  readonly method: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  readonly headers: Headers;
  /** Where the plugin sends it instead of to its service. */
  readonly target?: { readonly host: string; readonly port: number };
  /** Set by the plugin, like the following. */
  readonly scheme?: 'http' | 'https';
  readonly retries?: number;
  /** For connecting, writing and reading, in ms. */
  readonly timeouts?: readonly [connect: number, write: number, read: number];
}

/** A line that the plugin has logged. */
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
}

/** What one series of a metric has grown by. */
export interface MetricGrowth {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a counter: the increment. Of a histogram: the sum of what was observed. */
  readonly value: number;
  /** Of a histogram: how many values were observed. */
  readonly count?: number;
}

interface PhaseReport {
  /** Batches, timers and `configure` that ran meanwhile included. */
  readonly log: readonly LoggedLine[];
  readonly metrics: readonly MetricGrowth[];
}

/** What `rewrite` has decided. */
export interface RewriteReport extends PhaseReport {
  /** The plugin's answer; undefined where the request goes on. */
  readonly exit: AnswerReport | undefined;
  readonly serviceRequest: ServiceRequest;
  /** Headers set now that the client's answer will have. */
  readonly response: { readonly headers: Headers };
  readonly shared: Row;
}

/** What `access` has decided. */
export interface AccessReport extends RewriteReport {
  readonly consumer: Consumer | undefined;
  readonly credential: Credential | undefined;
}

/** What `response` has made of an answer. */
export interface ResponseReport extends PhaseReport {
  /** The plugin's answer in place of the one it was shown. */
  readonly exit: AnswerReport | undefined;
  /** What the client gets. */
  readonly response: AnswerReport;
  readonly shared: Row;
}

/** What `log` has left behind. */
export type LogReport = PhaseReport;

/** What queues and timers have done while time went by. */
export type ElapsedReport = PhaseReport;

/** A whole request. */
export interface RequestReport extends PhaseReport {
  /** The plugin's answer; undefined where the service has answered. */
  readonly exit: AnswerReport | undefined;
  /** Undefined where the service was not asked. */
  readonly serviceRequest: ServiceRequest | undefined;
  /** What the client gets. */
  readonly response: AnswerReport;
  readonly consumer: Consumer | undefined;
  readonly shared: Row;
}

/**
 * `Date` inside the isolate. It stands still until a test moves it: here as whoever sets the clock of a machine, which queues
 * and timers do not notice, or by `elapse`.
 */
export interface TestClock {
  /** In ms since the epoch. */
  now(): number;
  set(ms: number): void;
  advance(ms: number): void;
}

/** Rows that `kong.entities` and `kong.client.loadConsumer` find. */
export interface TestRows {
  /** Adds a row, or replaces the one with its id. `consumers` is an entity like any other. */
  put(entity: string, row: Row & { readonly id: string }): void;
  remove(entity: string, id: string): void;
}

/** Kinds of stores to count in. */
export type TestCounterStore = 'local' | 'cluster' | 'redis';

/** Where `kong.counters` counts: a store of each kind, in memory. */
export interface TestCounters {
  /** 0 for one that nobody has counted in. Default store: `local`. */
  read(key: string, store?: TestCounterStore): number;
  /** From now on asking this store fails with this message; undefined mends it. */
  fail(store: 'cluster' | 'redis', message: string | undefined): void;
}

/** What a plugin has sent with `kong.fetch`. */
export interface FetchedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** The servers that `kong.fetch` asks, if the capability `egress` lists them. */
export interface TestServers {
  /** Every request that has been sent, the earliest first. */
  readonly requests: readonly FetchedRequest[];
  /** For a URL, its query aside. A function decides by the request, and may throw; others get no answer at all. */
  answer(url: string, answer: TestAnswer | ((request: FetchedRequest) => TestAnswer)): void;
}

/** A plugin in an isolate of its own, and a host for it that lives in memory. */
export interface PluginKit {
  readonly manifest: PluginManifest;
  readonly clock: TestClock;
  readonly rows: TestRows;
  readonly counters: TestCounters;
  readonly servers: TestServers;
  /** Entries that are in queues. */
  readonly queued: number;
  /**
   * A request from beginning to end: rewrite, access, transformRequest, the service's answer, response, transformResponse, log.
   * Like all that run the plugin it rejects with ConfigurationError or PluginFailure, and one call waits for the other.
   * `configure` has run before, where the configuration is another than that of the call before, and batches that need not
   * wait have run behind. A throw of `onBatch` rejects nothing: it is in the log, and the batch comes again as time goes by.
   */
  request(
    request?: TestRequest,
    config?: Configuration,
    service?: TestAnswer | ((request: ServiceRequest) => TestAnswer),
  ): Promise<RequestReport>;
  /** The rewrite phase alone. */
  rewrite(request?: TestRequest, config?: Configuration): Promise<RewriteReport>;
  /** The access phase alone. */
  access(request?: TestRequest, config?: Configuration): Promise<AccessReport>;
  /** The response phase alone, for an answer of the service. */
  response(
    request?: TestRequest,
    config?: Configuration,
    answer?: TestAnswer & { readonly source?: ResponseSource },
  ): Promise<ResponseReport>;
  /** The log phase alone. */
  log(request?: TestRequest, config?: Configuration, record?: Partial<LogFacts>): Promise<LogReport>;
  /**
   * Lets so many ms go by, in which nothing is requested: batches and timers run when they are due, in order, and time stands
   * still until each has come to its end. Default configuration: that of the call before.
   */
  elapse(ms: number, config?: Configuration): Promise<ElapsedReport>;
  /** The configuration with its defaults. Throws ConfigurationError. */
  complete(config: Configuration): Configuration;
  /** Ends the isolate. */
  close(): void;
}

/** How a plugin is loaded for its tests. */
export interface KitOptions {
  /** What the clock shows at first, in ms since the epoch. Default: 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
  /** Wall time in ms the handlers of one phase may run. Default 1000; a gateway allows far less. */
  readonly timeoutMs?: number;
  /** Heap in MiB. Default 32. */
  readonly memoryMb?: number;
}
