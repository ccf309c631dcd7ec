/** One request of a test on its way through the phases of one plugin, as request and response flow take one along. */
import type { Consumer, Credential } from '../../sdk/client.ts';
import type { PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { LogFacts, ResponseSource } from '../../sdk/protocol/phase-call.ts';
import type { ServiceRequest, TestRequest } from '../../sdk/testing/kit.ts';
import { answerExit } from '../gateway/answer.ts';
import {
  type CallFacts,
  encodeAccessCall,
  encodeLogCall,
  encodeResponseCall,
} from '../gateway/encode-call.ts';
import { negotiate } from '../gateway/negotiation.ts';
import { applyHeaderOverrides } from '../gateway/response-headers.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';
import type { IsolateUnderTest } from './isolate-under-test.ts';
import { bodyBytes, pathOf, type TestExchange, toExchange, toServiceRequest } from './test-call.ts';

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
  readonly body: string;
}

export interface AccessStep {
  /** Undefined where the request goes on. */
  readonly exit: FlatAnswer | undefined;
  readonly serviceRequest: ServiceRequest;
  /** What becomes of the headers of whatever answer comes: operations as triples. */
  readonly responseTriples: readonly string[];
}

export interface ResponseStep {
  readonly exit: FlatAnswer | undefined;
  /** What the client gets. */
  readonly answer: FlatAnswer;
}

type Row = Readonly<Record<string, unknown>>;

export class Passage {
  readonly #isolate: IsolateUnderTest;
  readonly #manifest: PluginManifest;
  readonly #request: TestRequest;
  readonly #exchange: TestExchange;
  #facts: CallFacts;

  constructor(
    isolate: IsolateUnderTest,
    manifest: PluginManifest,
    request: TestRequest,
    generation: number,
    nowMs: number,
  ) {
    const { consumer, credential, shared } = request;
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
    };
  }

  get consumer(): Consumer | undefined {
    return readJson<Consumer>(this.#facts.consumer);
  }

  get credential(): Credential | undefined {
    return readJson<Credential>(this.#facts.credential);
  }

  get shared(): Row {
    return readJson<Row>(this.#facts.shared) ?? {};
  }

  /** Rejects with PluginFailure. */
  async access(): Promise<AccessStep> {
    const { capabilities } = this.#manifest;
    const captures = capabilities.uriCaptures === true ? (this.#request.uriCaptures ?? null) : null;
    const call = encodeAccessCall(this.#facts, PLAN, true, captures);
    const outcome = await this.#isolate.run('access', call, bodyBytes(this.#request));
    this.#keep(outcome);
    const responseTriples = outcome.responseTriples ?? [];
    return {
      exit: outcome.kind === 'exit' ? this.#answerOf(outcome, []) : undefined,
      serviceRequest: toServiceRequest(
        this.#request,
        this.#exchange,
        outcome.changes,
        outcome.serviceTriples,
      ),
      responseTriples,
    };
  }

  /** Rejects with PluginFailure. `answer` comes back unchanged from a plugin without the phase. */
  async response(answer: FlatAnswer, source: ResponseSource): Promise<ResponseStep> {
    const { phases, capabilities } = this.#manifest;
    if (!phases.includes('response')) return { exit: undefined, answer };
    const { status, headers } = answer;
    const body = capabilities.responseBody === true && {
      body: Buffer.from(answer.body, 'utf8').toString('latin1'),
    };
    const call = encodeResponseCall(this.#facts, PLAN, PICKED, { status, source, headers, ...body });
    const outcome = await this.#isolate.run('response', call, bodyBytes(this.#request));
    this.#keep(outcome);
    if (outcome.kind === 'exit') {
      const exit = this.#answerOf(outcome, headers);
      return { exit, answer: exit };
    }
    const changed = applyHeaderOverrides(headers, outcome.responseTriples ?? []);
    return {
      exit: undefined,
      answer: { status: outcome.status || status, headers: changed, body: answer.body },
    };
  }

  log(record: Partial<LogFacts>): void {
    const { phases, logRecord } = this.#manifest;
    if (!phases.includes('log')) return;
    const facts = { ...LOG_FACTS, ...record };
    this.#isolate.record(encodeLogCall(this.#facts, PLAN, PICKED, facts, logRecord === 'full'));
  }

  #keep({ consumer, credential, shared }: PhaseOutcome): void {
    const isKnown = consumer !== '';
    this.#facts = {
      ...this.#facts,
      ...(isKnown && { consumer: dropNull(consumer), credential: dropNull(credential) }),
      ...(shared !== '' && { shared }),
    };
  }

  /** `headers`: of the answer that it replaces. */
  #answerOf(outcome: PhaseOutcome, headers: readonly string[]): FlatAnswer {
    const negotiation = negotiate(this.#exchange, REQUEST_ID, ERROR_POLICY);
    const answer = answerExit(outcome, negotiation);
    return {
      status: answer.status,
      headers: applyHeaderOverrides([...headers, ...answer.headers], outcome.responseTriples ?? []),
      body: String(answer.body),
    };
  }
}

function dropNull(json: string): string {
  return json === 'null' ? '' : json;
}

function readJson<Value>(json: string): Value | undefined {
  return json === '' ? undefined : (JSON.parse(json) as Value);
}
