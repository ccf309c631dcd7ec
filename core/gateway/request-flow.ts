/**
 * The path of one request, top to bottom: route (behind the rewrite phase, where there is one), gate, access phase,
 * upstream. What comes back, from an upstream, a plugin or the gateway itself, goes out through response-flow.ts, and
 * ends in `finish`.
 *
 * One object per request carries its state and is itself the listener of what it waits for. Nothing is a promise
 * except where a body has to be read whole.
 */
import type { UriCaptures } from '../../sdk/protocol/phase-call.ts';
import type { LogLine, RequestChanges } from '../../sdk/protocol/phase-result.ts';
import type { TraceReport } from '../../sdk/protocol/trace.ts';
import type { RoutingPlan } from '../config/build-plan.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { ClientEvents, ClientExchange } from '../http/client-exchange.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason, PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { normalizePath } from '../router/normalize-path.ts';
import { RequestTrace } from '../telemetry/tracing/request-trace.ts';
import type { ForwardExchange } from '../upstream/forward-request.ts';
import { type Answer, answerError, answerExit, answerPluginFailure } from './answer.ts';
import { type CallFacts, encodeAccessCall } from './encode-call.ts';
import { findHeader } from './find-header.ts';
import type { Gateway } from './gateway.ts';
import { applyToRequest } from './header-overrides.ts';
import { type Negotiation, negotiate } from './negotiation.ts';
import { nowMs } from './now.ts';
import { prepareForward } from './prepare-forward.ts';
import { refuseAtGate } from './protocol-gate.ts';
import { recordRequest } from './record-request.ts';
import { redirectUpstream } from './redirect-upstream.ts';
import { createRequestId } from './request-id.ts';
import { ResponseFlow } from './response-flow.ts';
import { RewriteFlow } from './rewrite-flow.ts';
import type { RoutePlan, UpstreamPlan } from './route-plan.ts';
import type { TransformedBody } from './transformed-body.ts';

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
  path: string;
  /** Of the route: that for refusals at its gate, when it was refused there. Before it is known, that for no match. */
  plan: RoutePlan;
  /** What the route consumed of the path. */
  matchedPath = '';
  /** Of the route's pattern. */
  captures: UriCaptures | null = null;
  readonly response: ResponseFlow;
  /** Undefined unless spans are recorded, a plugin passes a trace on, or there are log lines to export. */
  trace: RequestTrace | undefined;

  /** JSON as plugins gave it, '' for none. */
  consumer = '';
  credential = '';
  shared = '';
  /** By position in `plan.lanes`: the instances collected there. */
  picks: string[] = NO_PICKS;
  changes: RequestChanges | undefined;
  serviceTriples: string[] | null = null;
  responseTriples: string[] | null = null;
  /** A status that the service's answer shall have whatever it has; 0 for none. */
  newStatus = 0;
  /** Where the request goes; null before, and where it goes nowhere. */
  upstream: UpstreamPlan | null = null;
  /** Path and query as sent there. */
  upstreamTarget = '';
  /** When the request was handed to the upstream side; 0 before. */
  forwardedAtMs = 0;
  forwarding: ForwardExchange | undefined;
  /** `Set-Cookie` by which the client comes back to the same address; '' for none. */
  balancerCookie = '';
  /** The client's body, where plugins transform it. */
  transformedBody: TransformedBody | undefined;

  /** The first answer a plugin gave; the rest of the access phase only collects. */
  #answer: Answer | undefined;
  #refusal: ErrorCode | undefined;
  #rewriting: RewriteFlow | undefined;
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
    this.path = path ?? exchange.rawPath;
    this.plan = live.unmatched;
    this.response = new ResponseFlow(this);
    if (path === null) this.#refuseUnrouted('GW_BAD_REQUEST');
    else if (live.rewriteSegments.length > 0) this.#rewriting = new RewriteFlow(this, live);
    else this.#route(live, exchange.method, exchange.host, exchange.headers);
    this.plan.generation.inFlight++;
  }

  get generation(): number {
    return this.plan.generation.number;
  }

  /** What `strip_path` takes off the path. */
  get strippedPrefix(): string {
    return this.plan.route?.strip_path === true && this.matchedPath !== '/' ? this.matchedPath : '';
  }

  start(): void {
    this.exchange.events = this;
    if (this.#rewriting !== undefined) this.#rewriting.start();
    else this.#enterAccess();
  }

  #route(live: RoutingPlan, method: string, host: string | undefined, headers: readonly string[]): void {
    const { exchange } = this;
    const { tracer } = this.gateway;
    const routedFromMs = tracer.isRecording ? nowMs() : 0;
    const match = live.router.match({
      method,
      host,
      defaultPort: exchange.scheme === 'https' ? 443 : 80,
      path: this.path,
      scheme: exchange.scheme,
      sni: exchange.sni,
      headers,
    });
    if (match === null) {
      this.#refuseUnrouted('GW_ROUTE_NOT_FOUND');
    } else {
      this.plan = match.value;
      this.matchedPath = match.matchedPath;
      this.captures = match.captures ?? null;
      this.picks = noPicks(match.value);
    }
    if (tracer.isRecording && this.plan.isTraced) {
      this.trace = tracer.begin();
      this.trace.onRouted(routedFromMs);
    }
  }

  #refuseUnrouted(code: ErrorCode): void {
    this.#refusal = code;
    this.picks = noPicks(this.plan);
  }

  /**
   * The rewrite phase is over. What it has made of the request decides the route; an answer is that of a request that
   * matches none: only plugins attached to nothing take part. Contract/proxy.md section 10.4.
   */
  leaveRewrite(live: RoutingPlan, answer: Answer | undefined): void {
    this.#rewriting = undefined;
    if (answer !== undefined) {
      this.#answer = answer;
      this.picks = noPicks(this.plan);
      this.#runNextSegment();
      return;
    }
    const { exchange, changes, serviceTriples } = this;
    if (changes?.path !== undefined) {
      const { path, ...others } = changes;
      this.path = normalizePath(path) ?? path;
      this.changes = others;
    }
    const headers =
      serviceTriples === null ? exchange.headers : applyToRequest(exchange.headers, serviceTriples);
    const host = serviceTriples === null ? exchange.host : findHeader(headers, 'host');
    this.#route(live, changes?.method ?? exchange.method, host, headers);
    this.#enterAccess();
  }

  #enterAccess(): void {
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
    const captures = segment.wantsCaptures ? this.captures : null;
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
    this.#answer ??= this.answerOf(outcome);
    this.#nextSegment++;
    this.#runNextSegment();
  }

  /** Of a plugin that has answered or failed; undefined where the request goes on. */
  answerOf(outcome: PhaseOutcome): Answer | undefined {
    if (outcome.kind === 'proceed') return undefined;
    if (outcome.failure !== undefined) {
      const { plugin, phase, name, message, stack } = outcome.failure;
      this.logFailure(`plugin '${plugin}' failed in ${phase}: ${name}: ${message}`, stack);
    }
    return outcome.kind === 'exit' ? answerExit(outcome, this.negotiation()) : answerPluginFailure();
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
    const replacement = this.changes?.body;
    if (replacement !== undefined) return Buffer.from(replacement, 'latin1');
    return this.exchange.body === undefined ? NO_BYTES : this.exchange.body.readWhole(maxBytes);
  }

  #leaveAccess(): void {
    const { plan, changes } = this;
    if (this.#answer !== undefined) {
      this.response.answer(this.#answer);
      return;
    }
    this.upstream =
      changes === undefined ? plan.upstream : redirectUpstream(plan, changes, this.gateway.findBalancer);
    if (this.upstream === null)
      this.response.answer(this.errorAnswer(new GatewayError('GW_SERVICE_NOT_FOUND')));
    else prepareForward(this, this.upstream);
  }

  /** What a plugin said in access or response: identity, headers, changes to what goes upstream. */
  applyOutcome(outcome: PhaseOutcome): void {
    if (outcome.consumer !== '') {
      this.consumer = outcome.consumer === 'null' ? '' : outcome.consumer;
      this.credential = outcome.credential === 'null' ? '' : outcome.credential;
    }
    if (outcome.kind === 'proceed' && outcome.status !== 0) this.newStatus = outcome.status;
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
    this.#rewriting?.abort();
    const segment = this.plan.segments[this.#nextSegment];
    if (this.#phaseCall !== 0 && segment !== undefined)
      this.gateway.lanes[segment.lane]?.cancel(this.#phaseCall);
    this.response.abort();
    this.transformedBody?.abort();
    this.forwarding?.abort();
    this.finish();
  }

  onDrain(): void {
    this.response.onDrain();
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

function join(earlier: string[] | null, more: readonly string[]): string[] {
  return earlier === null ? (more as string[]) : earlier.concat(more);
}
