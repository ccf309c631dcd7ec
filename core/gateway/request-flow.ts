/**
 * The path of one request, top to bottom: route, gate, access phase, upstream. What comes back, from an upstream, a
 * plugin or the gateway itself, goes out through response-flow.ts, and ends in `finish`.
 *
 * One object per request carries its state and is itself the listener of what it waits for. Nothing is a promise
 * except where a body has to be read whole.
 */
import type { UriCaptures } from '../../sdk/protocol/phase-call.ts';
import type { LogLine, RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { TraceReport } from '../../sdk/protocol/trace.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { ClientEvents, ClientExchange } from '../http/client-exchange.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason, PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { normalizePath } from '../router/normalize-path.ts';
import { RequestTrace } from '../telemetry/tracing/request-trace.ts';
import type { ForwardExchange } from '../upstream/forward-request.ts';
import { type Answer, answerError, answerExit, answerPluginFailure } from './answer.ts';
import { type CallFacts, encodeAccessCall } from './encode-call.ts';
import type { Gateway } from './gateway.ts';
import { type Negotiation, negotiate } from './negotiation.ts';
import { nowMs } from './now.ts';
import { prepareForward } from './prepare-forward.ts';
import { refuseAtGate } from './protocol-gate.ts';
import { recordRequest } from './record-request.ts';
import { createRequestId } from './request-id.ts';
import { ResponseFlow } from './response-flow.ts';
import type { RoutePlan } from './route-plan.ts';

const NO_BYTES = new Uint8Array(0);

/** Starts a request on its way. The exchange will be answered, destroyed or aborted, and always recorded. */
export function handleRequest(exchange: ClientExchange, gateway: Gateway): void {
  new RequestFlow(exchange, gateway).start();
}

export class RequestFlow implements ClientEvents, PhaseListener, CallFacts {
  readonly exchange: ClientExchange;
  readonly gateway: Gateway;
  readonly requestId: string;
  readonly clientAddress: string;
  /** The peer is a trusted proxy: its X-Forwarded-* count. */
  readonly isTrusted: boolean;
  /** Normalised; the raw one where that is impossible. */
  readonly path: string;
  /** Of the route; that for refusals at its gate, when it was refused there. */
  plan: RoutePlan;
  /** What the route consumed of the path. */
  readonly matchedPath: string;
  readonly response: ResponseFlow;
  /** Undefined unless spans are recorded, a plugin passes a trace on, or there are log lines to export. */
  trace: RequestTrace | undefined;

  /** JSON as plugins gave it, '' for none. */
  consumer = '';
  credential = '';
  shared = '';
  /** By position in `plan.lanes`: the instances collected there. */
  picks: string[];
  changes: RequestChanges | undefined;
  serviceTriples: string[] | null = null;
  responseTriples: string[] | null = null;
  /** When the request was handed to the upstream side; 0 before. */
  forwardedAtMs = 0;
  forwarding: ForwardExchange | undefined;

  /** The first answer a plugin gave; the rest of the access phase only collects. */
  #answer: Answer | undefined;
  readonly #captures: UriCaptures | null;
  readonly #refusal: ErrorCode | undefined;
  #nextSegment = 0;
  #phaseCall = 0;
  #isFinished = false;

  constructor(exchange: ClientExchange, gateway: Gateway) {
    this.exchange = exchange;
    this.gateway = gateway;
    this.requestId = createRequestId();
    const client = gateway.policy.resolveClientAddress(exchange.peerAddress, exchange.headers);
    this.clientAddress = client.address;
    this.isTrusted = client.isTrusted;
    const path = normalizePath(exchange.rawPath);
    const live = gateway.currentPlan();
    const { tracer } = gateway;
    const routedFromMs = tracer.isRecording ? nowMs() : 0;
    const match = path === null ? null : live.router.match(routingFacts(exchange, path));
    this.path = path ?? exchange.rawPath;
    this.plan = match?.value ?? live.unmatched;
    this.matchedPath = match?.matchedPath ?? '';
    this.#captures = match?.captures ?? null;
    this.#refusal = path === null ? 'GW_BAD_REQUEST' : match === null ? 'GW_ROUTE_NOT_FOUND' : undefined;
    this.picks = noPicks(this.plan);
    this.response = new ResponseFlow(this);
    if (tracer.isRecording && this.plan.isTraced) {
      this.trace = tracer.begin();
      this.trace.onRouted(routedFromMs);
    }
    this.plan.generation.inFlight++;
  }

  get generation(): number {
    return this.plan.generation.number;
  }

  start(): void {
    this.exchange.events = this;
    if (this.#refusal !== undefined) this.#answer = this.#refuse(this.#refusal);
    else if (this.plan.gate !== 'open') this.#passGate(this.plan);
    this.#runNextSegment();
  }

  #passGate({ refused }: RoutePlan): void {
    this.#answer = refuseAtGate(this);
    if (this.#answer === undefined || refused === null) return;
    this.plan = refused;
    this.picks = noPicks(refused);
  }

  #refuse(code: ErrorCode): Answer {
    const answer = this.errorAnswer(new GatewayError(code));
    return code === 'GW_BAD_REQUEST' ? { ...answer, closesConnection: true } : answer;
  }

  /** Access: one crossing for each run of plugins that share a package. */
  #runNextSegment(): void {
    const segment = this.plan.segments[this.#nextSegment];
    if (segment === undefined) {
      this.#leaveAccess();
      return;
    }
    this.trace?.onPhaseStart('access');
    const captures = segment.wantsCaptures ? this.#captures : null;
    const call = encodeAccessCall(this, segment.plan, this.#answer === undefined, captures);
    this.#phaseCall = (this.gateway.lanes[segment.lane] as Gateway['lanes'][number]).submit(
      'access',
      call,
      this,
    );
  }

  onPhaseOutcome(outcome: PhaseOutcome): void {
    this.#phaseCall = 0;
    this.applyOutcome(outcome);
    this.#collect(outcome.picks);
    if (this.#answer === undefined && outcome.kind !== 'proceed') {
      if (outcome.failure !== undefined) {
        const { plugin, phase, name, message, stack } = outcome.failure;
        this.logFailure(`plugin '${plugin}' failed in ${phase}: ${name}: ${message}`, stack);
      }
      this.#answer =
        outcome.kind === 'exit' ? answerExit(outcome, this.negotiation()) : answerPluginFailure();
    }
    this.#nextSegment++;
    this.#runNextSegment();
  }

  onPhaseFailure(reason: PhaseFailureReason, detail: string): void {
    this.#phaseCall = 0;
    this.logFailure(`access phase failed: ${reason}`, detail);
    // Fail closed: an authentication plugin that could not run has let nobody in.
    this.#answer ??= answerPluginFailure();
    this.#nextSegment++;
    this.#runNextSegment();
  }

  onPhaseTrace(report: TraceReport): void {
    if (report.state !== undefined) this.trace ??= RequestTrace.passedOn(report.state);
    this.trace?.onPhaseReport(report);
  }

  onPhaseLog(lines: readonly Pick<LogLine, 'level' | 'plugin' | 'message'>[]): void {
    if (!this.plan.isTraced) return;
    this.trace ??= RequestTrace.forLines();
    for (const { level, plugin, message } of lines) this.trace.onLine(level, plugin, message, nowMs());
  }

  /** For the operator. */
  logFailure(message: string, detail: string): void {
    this.gateway.logFailure(this.requestId, message, detail);
    this.onPhaseLog([{ level: 'err', plugin: '', message: `${message}: ${detail}` }]);
  }

  async readBody(maxBytes: number): Promise<Uint8Array> {
    return this.exchange.body === undefined ? NO_BYTES : this.exchange.body.readWhole(maxBytes);
  }

  #leaveAccess(): void {
    const { upstream } = this.plan;
    if (this.#answer !== undefined) this.response.answer(this.#answer);
    else if (upstream === null)
      this.response.answer(this.errorAnswer(new GatewayError('GW_SERVICE_NOT_FOUND')));
    else prepareForward(this, upstream);
  }

  /** What a plugin said in access or response: identity, headers, changes to what goes upstream. */
  applyOutcome(outcome: PhaseOutcome): void {
    if (outcome.consumer !== '') {
      this.consumer = outcome.consumer === 'null' ? '' : outcome.consumer;
      this.credential = outcome.credential === 'null' ? '' : outcome.credential;
    }
    if (outcome.shared !== '') this.shared = outcome.shared;
    if (outcome.changes !== undefined) this.changes = { ...this.changes, ...outcome.changes };
    if (outcome.serviceTriples !== null)
      this.serviceTriples = join(this.serviceTriples, outcome.serviceTriples);
    if (outcome.responseTriples !== null)
      this.responseTriples = join(this.responseTriples, outcome.responseTriples);
  }

  #collect(picks: string): void {
    const lane = this.plan.segments[this.#nextSegment]?.lane;
    const at = this.plan.lanes.findIndex((phases) => phases.lane === lane);
    const before = this.picks[at];
    this.picks[at] =
      before === '' || before === undefined ? picks : picks === '' ? before : `${before},${picks}`;
  }

  errorAnswer(error: GatewayError, headers?: readonly string[]): Answer {
    return answerError(error, this.negotiation(), headers);
  }

  negotiation(): Negotiation {
    return negotiate(this.exchange, this.requestId, this.gateway.policy);
  }

  onAborted(): void {
    const segment = this.plan.segments[this.#nextSegment];
    if (this.#phaseCall !== 0 && segment !== undefined)
      this.gateway.lanes[segment.lane]?.cancel(this.#phaseCall);
    this.response.abort();
    this.forwarding?.abort();
    this.finish();
  }

  onDrain(): void {
    this.forwarding?.resume();
  }

  /** The answer is out, or the client is gone. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    recordRequest(this);
    this.gateway.requestEnded();
    const { generation } = this.plan;
    if (--generation.inFlight === 0 && !generation.isCurrent) this.gateway.retireGeneration(generation);
  }
}

const NO_PICKS: string[] = [];

function noPicks({ lanes }: RoutePlan): string[] {
  return lanes.length === 0 ? NO_PICKS : new Array<string>(lanes.length).fill('');
}

function routingFacts(exchange: ClientExchange, path: string) {
  return {
    method: exchange.method,
    host: exchange.host,
    defaultPort: exchange.scheme === 'https' ? 443 : 80,
    path,
    scheme: exchange.scheme,
    sni: undefined,
    headers: exchange.headers,
  };
}

function join(earlier: string[] | null, more: readonly string[]): string[] {
  return earlier === null ? (more as string[]) : earlier.concat(more);
}
