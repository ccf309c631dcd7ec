/** One request of a test on its way through the phases of one plugin, as request and response flow take one along. */
import type { Consumer, Credential } from '../../sdk/client.ts';
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import type { PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { LogFacts, ResponseSource } from '../../sdk/protocol/phase-call.ts';
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { ServiceRequest, TestRequest } from '../../sdk/testing/kit.ts';
import { answerExit } from '../gateway/answer.ts';
import {
  type CallFacts,
  encodeAccessCall,
  encodeBodyCall,
  encodeFullLogCall,
  encodeLogCall,
  encodeResponseCall,
} from '../gateway/encode-call.ts';
import { negotiate } from '../gateway/negotiation.ts';
import { applyHeaderOverrides } from '../gateway/response-headers.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { normalizePath } from '../router/normalize-path.ts';
import type { IsolateUnderTest } from './isolate-under-test.ts';
import {
  bodyToSend,
  pathOf,
  type TestExchange,
  toExchange,
  toPieces,
  toServiceRequest,
} from './test-call.ts';

/** The one plan and, in it, the one instance. */
const PLAN = 0;
const PICKED = '0';
const CONSUMER = { id: '00000000-0000-4000-8000-000000000004', username: null, custom_id: null };
const REQUEST_ID = '0123456789abcdef0123456789abcdef';
const ERROR_POLICY = { errorDefaultType: 'text/plain', errorTemplates: {} };

const LOG_FACTS: LogFacts = {
  status: 200,
  source: 'service',
  gatewayLatencyMs: 1,
  upstreamLatencyMs: 2,
  requestLatencyMs: 3,
  bytesReceived: 100,
  bytesSent: 200,
  upstreamStatus: 200,
};

/** An answer with flat headers. */
export interface FlatAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly pieces: readonly Buffer[];
}

export interface AnswerStep {
  readonly exit: FlatAnswer | undefined;
  /** What the client gets. */
  readonly answer: FlatAnswer;
}

type Row = Readonly<Record<string, unknown>>;

const NOTHING: FlatAnswer = { status: 200, headers: [], pieces: [] };
const STATUSES_WITHOUT_BODY = [204, 304];

export class Passage {
  readonly #isolate: IsolateUnderTest;
  readonly #manifest: PluginManifest;
  readonly #request: TestRequest;
  readonly #exchange: TestExchange;
  #facts: CallFacts;
  /** Of the path that the route would have been found by, where a plugin has changed it before. */
  #routedPath: string | undefined;
  #responseTriples: readonly string[] = [];
  #newStatus = 0;
  #service: FlatAnswer | undefined;
  #client = NOTHING;
  /** What goes to the service, where a plugin has transformed it. */
  #transformed: readonly Buffer[] | undefined;

  constructor(
    isolate: IsolateUnderTest,
    manifest: PluginManifest,
    request: TestRequest,
    generation: number,
    nowMs: number,
  ) {
    const { consumer, credential, shared, strippedPrefix = '' } = request;
    this.#isolate = isolate;
    this.#manifest = manifest;
    this.#request = request;
    this.#exchange = toExchange(request, nowMs);
    this.#facts = {
      generation,
      exchange: this.#exchange as ClientExchange,
      path: pathOf(this.#exchange),
      clientAddress: this.#exchange.peerAddress,
      requestId: REQUEST_ID,
      consumer: consumer === undefined ? '' : JSON.stringify({ ...CONSUMER, ...consumer }),
      credential: credential === undefined ? '' : JSON.stringify(credential),
      shared: shared === undefined ? '' : JSON.stringify(shared),
      strippedPrefix,
    };
  }

  get consumer(): Consumer | undefined {
    return readJson<Consumer>(this.#facts.consumer);
  }

  get credential(): Credential | undefined {
    return readJson<Credential>(this.#facts.credential);
  }

  /** What plugins have left for each other; what they have left for the log is not shown. */
  get shared(): Row {
    const shared = readJson<Row>(this.#facts.shared) ?? {};
    return Object.fromEntries(Object.entries(shared).filter(([name]) => !name.startsWith('\0')));
  }

  /** The request as the service would get it now. Throws GatewayError when a header value could split the head. */
  get serviceRequest(): ServiceRequest {
    const { changes, serviceTriples = null } = this.#facts;
    const path = changes?.path ?? this.#routedPath;
    const effective = path === undefined ? changes : { ...changes, path };
    return toServiceRequest(this.#request, this.#exchange, effective, serviceTriples, this.#transformed);
  }

  /** What becomes of the headers of whatever answer comes: operations as triples. */
  get responseTriples(): readonly string[] {
    return this.#responseTriples;
  }

  /** The plugin's answer; undefined where the request goes on. Rejects with PluginFailure. */
  async rewrite(): Promise<FlatAnswer | undefined> {
    if (!this.#manifest.phases.includes('rewrite')) return undefined;
    const call = encodeAccessCall(this.#facts, PLAN, true);
    const exit = this.#leave(await this.#isolate.run('rewrite', call, this.#bodyBytes()));
    const { path, ...changes } = this.#facts.changes ?? {};
    // It decides the route, and comes to access like a path that was sent so.
    if (path !== undefined) {
      this.#routedPath = path;
      this.#facts = { ...this.#facts, path: normalizePath(path) ?? path, changes };
    }
    return exit;
  }

  /** The plugin's answer; undefined where the request goes on. Rejects with PluginFailure. */
  async access(): Promise<FlatAnswer | undefined> {
    const { capabilities } = this.#manifest;
    const captures = capabilities.uriCaptures === true ? (this.#request.uriCaptures ?? null) : null;
    const call = encodeAccessCall(this.#facts, PLAN, true, captures);
    return this.#leave(await this.#isolate.run('access', call, this.#bodyBytes()));
  }

  /** The body on its way to the service, where there is one. Rejects with PluginFailure. */
  async transformRequest(): Promise<void> {
    const pieces = bodyToSend(this.#request, this.#facts.changes);
    if (!this.#transforms('request') || pieces.length === 0) return;
    const call = encodeBodyCall(this.#facts, PLAN, PICKED, undefined);
    this.#transformed = await this.#isolate.pass({ direction: 'request', call, pieces });
  }

  /** What the service has answered, as it comes to the response phase. */
  serve(answer: FlatAnswer): FlatAnswer {
    this.#service = answer;
    const headers = applyHeaderOverrides(answer.headers, this.#responseTriples);
    return { ...answer, headers, status: this.#newStatus || answer.status };
  }

  /** Rejects with PluginFailure. `answer` comes back unchanged from a plugin without the phase. */
  async response(answer: FlatAnswer, source: ResponseSource): Promise<AnswerStep> {
    const { phases, capabilities } = this.#manifest;
    this.#client = answer;
    if (!phases.includes('response')) return { exit: undefined, answer };
    const { status, headers } = answer;
    const body = capabilities.responseBody === true && {
      body: Buffer.concat(answer.pieces).toString('latin1'),
    };
    const facts = { status, source, headers, upstreamStatus: this.#service?.status ?? 0, ...body };
    const call = encodeResponseCall(this.#facts, PLAN, PICKED, facts, this.#service?.headers ?? []);
    const outcome = await this.#isolate.run('response', call, this.#bodyBytes());
    this.#keep(outcome);
    const exit = outcome.kind === 'exit' ? this.#answerOf(outcome, headers) : undefined;
    const changed = applyHeaderOverrides(headers, outcome.responseTriples ?? []);
    this.#client = exit ?? { ...answer, status: outcome.status || status, headers: changed };
    return { exit, answer: this.#client };
  }

  /** The body of the service's answer on its way to the client: what the client gets. Rejects with PluginFailure. */
  async transformResponse(): Promise<FlatAnswer> {
    const { status, headers, pieces } = this.#client;
    const upstreamStatus = this.#service?.status ?? 0;
    const hasBody = this.serviceRequest.method !== 'HEAD' && !STATUSES_WITHOUT_BODY.includes(upstreamStatus);
    if (!this.#transforms('response') || !hasBody) return this.#client;
    const facts = { status, source: 'service', headers, upstreamStatus } as const;
    const call = encodeBodyCall(this.#facts, PLAN, PICKED, facts);
    const passed = await this.#isolate.pass({ direction: 'response', call, pieces });
    if (passed !== undefined) this.#client = { status, headers: withoutLength(headers), pieces: passed };
    return this.#client;
  }

  log(record: Partial<LogFacts>): void {
    const { phases, logRecord } = this.#manifest;
    if (!phases.includes('log')) return;
    const facts = { ...LOG_FACTS, ...record };
    const { path, query } = this.serviceRequest;
    const full = {
      upstreamTarget: query === '' ? path : `${path}?${query}`,
      tries: [{ ip: '127.0.0.1', port: 80 }],
      serviceHeaders: this.#service?.headers ?? [],
      clientHeaders: this.#client.headers,
    };
    this.#isolate.record(
      logRecord === 'full'
        ? encodeFullLogCall(this.#facts, PLAN, PICKED, facts, full)
        : encodeLogCall(this.#facts, PLAN, PICKED, facts),
    );
  }

  #leave(outcome: PhaseOutcome): FlatAnswer | undefined {
    this.#keep(outcome);
    if (outcome.kind === 'exit') return this.#answerOf(outcome, []);
    if (outcome.status !== 0) this.#newStatus = outcome.status;
    return undefined;
  }

  /** As RequestFlow does it. */
  #keep({ consumer, credential, shared, changes, serviceTriples, responseTriples }: PhaseOutcome): void {
    const isKnown = consumer !== '';
    const { changes: before, serviceTriples: triples } = this.#facts;
    this.#responseTriples = [...this.#responseTriples, ...(responseTriples ?? [])];
    this.#facts = {
      ...this.#facts,
      ...(isKnown && { consumer: dropNull(consumer), credential: dropNull(credential) }),
      ...(shared !== '' && { shared }),
      ...(changes !== undefined && { changes: { ...before, ...changes } satisfies RequestChanges }),
      ...(serviceTriples !== null && { serviceTriples: [...(triples ?? []), ...serviceTriples] }),
    };
  }

  #transforms(direction: BodyDirection): boolean {
    return this.#manifest.transforms?.includes(direction) === true;
  }

  #bodyBytes(): Uint8Array {
    return Buffer.concat(bodyToSend(this.#request, this.#facts.changes));
  }

  /** `headers`: of the answer that it replaces. */
  #answerOf(outcome: PhaseOutcome, headers: readonly string[]): FlatAnswer {
    const negotiation = negotiate(this.#exchange, REQUEST_ID, ERROR_POLICY);
    const answer = answerExit(outcome, negotiation);
    return {
      status: answer.status,
      headers: applyHeaderOverrides([...headers, ...answer.headers], this.#responseTriplesOf(outcome)),
      pieces: toPieces(answer.body),
    };
  }

  /** An answer before the service has been asked gets what earlier phases have set too. */
  #responseTriplesOf({ responseTriples }: PhaseOutcome): readonly string[] {
    return this.#service === undefined ? this.#responseTriples : (responseTriples ?? []);
  }
}

/** What is transformed goes out in chunks. */
function withoutLength(headers: readonly string[]): readonly string[] {
  const isLength = (at: number) => headers[at - (at % 2)]?.toLowerCase() === 'content-length';
  return headers.filter((_, at) => !isLength(at));
}

function dropNull(json: string): string {
  return json === 'null' ? '' : json;
}

function readJson<Value>(json: string): Value | undefined {
  return json === '' ? undefined : (JSON.parse(json) as Value);
}
