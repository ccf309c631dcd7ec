/**
 * The way of an answer to the client, whoever made it: response phase, headers, body. An upstream's answer is
 * streamed: a head waits for the first bytes only to leave in one piece with them, never for the end, unless a
 * plugin asked for the whole body.
 */
import type { ResponseSource } from '../../sdk/protocol/phase-call.ts';
import type { GatewayError } from '../errors.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';
import type { ForwardEvents, ResponseHead } from '../upstream/forward-request.ts';
import { type Answer, answerExit, answerPluginFailure } from './answer.ts';
import { AnswerPipe, type PipedAnswer } from './answer-pipe.ts';
import { listDebugHeaders } from './debug-headers.ts';
import { describeTries } from './describe-tries.ts';
import { nowMs } from './now.ts';
import type { RequestFlow } from './request-flow.ts';
import { applyHeaderOverrides } from './response-headers.ts';
import { ResponsePhase, type UndecidedAnswer } from './response-phase.ts';

/** Bytes of an upstream body held back while the response phase decides about its head. */
const MAX_HELD_BYTES = 1024 * 1024;

type Stage =
  /** Nothing has come back yet. */
  | 'waiting'
  /** The response phase runs; body bytes are held. */
  | 'deciding'
  /** The head is ready and waits for company. */
  | 'head-ready'
  | 'streaming'
  /** The body goes through plugins, and out of them to the client. */
  | 'piping'
  | 'done';

const NO_HEADERS: readonly string[] = [];

export class ResponseFlow implements ForwardEvents, UndecidedAnswer, PipedAnswer {
  status = 0;
  source: ResponseSource = 'error';
  upstreamStatus = 0;
  /** When the answer's head was known; 0 before. */
  headAtMs = 0;
  /** Of the upstream's answer as it came; flat. */
  serviceHeaders: readonly string[] = NO_HEADERS;
  /** Of the client's answer; flat. */
  headers: readonly string[] = NO_HEADERS;

  readonly #flow: RequestFlow;
  #stage: Stage = 'waiting';
  #bodyLength: number | undefined;
  #hasBody = true;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #isUpstreamDone = false;
  /** There was nothing but a head in the read that brought it, and it was not ready yet. */
  #isFlushWanted = false;
  /** Body of an answer that is not streamed. */
  #whole: string | Uint8Array | undefined;
  #trailers: readonly string[] | undefined;
  #closesConnection = false;
  /** Undefined where the route has none. */
  #phase: ResponsePhase | undefined;
  #pipe: AnswerPipe | undefined;

  constructor(flow: RequestFlow) {
    this.#flow = flow;
  }

  /** An answer of the gateway or of a plugin. */
  answer(answer: Answer): void {
    const { gateway, exchange, requestId, forwardedAtMs } = this.#flow;
    this.headAtMs = nowMs();
    this.status = answer.status;
    this.source = answer.source;
    this.#whole = answer.body;
    this.#closesConnection = answer.closesConnection === true;
    const latencyMs = this.headAtMs - exchange.receivedAtMs;
    const upstream =
      forwardedAtMs > 0
        ? { proxyMs: forwardedAtMs - exchange.receivedAtMs, upstreamMs: this.headAtMs - forwardedAtMs }
        : undefined;
    this.headers = gateway.policy.responseHeaders.own(answer.headers, { requestId, latencyMs, upstream });
    this.#decide();
  }

  onHead(head: ResponseHead): void {
    const { gateway, exchange, requestId, forwardedAtMs, changes, newStatus } = this.#flow;
    this.headAtMs = nowMs();
    this.status = newStatus || head.status;
    this.serviceHeaders = head.headers;
    this.upstreamStatus = head.status;
    this.source = 'service';
    this.#bodyLength = head.bodyLength;
    this.#hasBody = head.hasBody;
    // A plugin made the request a HEAD: its client would wait for a body of the length that is announced.
    if (!head.hasBody && changes?.method === 'HEAD' && exchange.method !== 'HEAD') this.#bodyLength = 0;
    this.headers = gateway.policy.responseHeaders.proxied(head.headers, {
      requestId,
      proxyMs: forwardedAtMs - exchange.receivedAtMs,
      upstreamMs: this.headAtMs - forwardedAtMs,
      upstreamStatus: head.status,
      httpVersion: head.httpVersion,
    });
    const { balancerCookie } = this.#flow;
    if (balancerCookie !== '') this.headers = [...this.headers, 'Set-Cookie', balancerCookie];
    this.#decide();
  }

  onChunk(chunk: Uint8Array): boolean {
    switch (this.#stage) {
      case 'head-ready':
        return this.#sendWithHead(chunk);
      case 'streaming':
        return this.#flow.exchange.write(chunk);
      case 'piping':
        return this.#pipe?.feed(chunk) ?? true;
      case 'deciding':
        return this.#hold(chunk);
      default:
        return true;
    }
  }

  onFlush(): void {
    // The upstream sent a head and nothing else yet: an event stream's client must not wait for its first event.
    if (this.#stage === 'deciding') this.#isFlushWanted = true;
    else if (this.#stage === 'head-ready' && !this.#isUpstreamDone) this.#startStreaming(undefined);
  }

  onTrailers(trailers: readonly string[]): void {
    this.#trailers = trailers;
  }

  onEnd(): void {
    this.#isUpstreamDone = true;
    this.#flow.trace?.onUpstreamEnd();
    if (this.#stage === 'deciding') {
      if (this.#waitsForBody) this.#phase?.runNext();
      return;
    }
    this.#endStream();
  }

  onError(error: GatewayError): void {
    const { exchange } = this.#flow;
    const detail = describeTries(error, this.#flow.forwarding?.attempts ?? []);
    this.#flow.logFailure(`upstream failed: ${error.code}`, detail);
    if (this.#stage === 'waiting') {
      // No address was tried: to the client nothing was proxied (contract/proxy.md section 5).
      if (error.class === 'A' && this.#flow.forwarding?.attempts.length === 0) this.#flow.forwardedAtMs = 0;
      this.answer(this.#flow.errorAnswer(error));
      return;
    }
    // The head may be out: cutting the connection is the only honest end.
    this.abort();
    exchange.destroy();
    this.#flow.finish();
  }

  /** Plugins could not go on with a body: what has come of it so far must not look like the whole. */
  fail(handler: string, reason: string, detail: string): void {
    const { exchange, forwarding } = this.#flow;
    this.#flow.logFailure(`${handler} failed: ${reason}`, detail);
    if (!this.#isUpstreamDone) forwarding?.abort();
    if (this.#stage === 'waiting' || this.#pipe?.isFlowing === false) {
      this.#pipe?.abort();
      this.#pipe = undefined;
      this.#held = undefined;
      this.#hasBody = true;
      this.answer(answerPluginFailure());
      return;
    }
    this.abort();
    exchange.destroy();
    this.#flow.finish();
  }

  /** The client can take bytes again. */
  onDrain(): void {
    if (this.#pipe === undefined) this.#flow.forwarding?.resume();
    else this.#pipe.resume();
  }

  /** The client has gone, or nothing more may be sent. */
  abort(): void {
    this.#phase?.abort();
    this.#pipe?.abort();
    this.#stage = 'done';
    this.#held = undefined;
  }

  /** The head is known: plugins first, where the route has any for this phase. */
  #decide(): void {
    if (this.#flow.gateway.policy.isDebugHeaderAllowed) {
      this.headers = this.headers.concat(listDebugHeaders(this.#flow));
    }
    if (!this.#flow.plan.hasResponsePhase) {
      this.#applyOverrides();
      this.onDecided();
      return;
    }
    this.#stage = 'deciding';
    this.#applyOverrides();
    this.#phase ??= new ResponsePhase(this.#flow, this);
    if (!this.#waitsForBody || this.#whole !== undefined) this.#phase.runNext();
  }

  get #waitsForBody(): boolean {
    if (this.status === 101) return false;
    return this.#hasBody && this.#flow.plan.lanes.some(({ needsResponseBody }) => needsResponseBody);
  }

  onDecision(outcome: PhaseOutcome): void {
    const flow = this.#flow;
    flow.responseTriples = null;
    flow.applyOutcome(outcome);
    if (outcome.kind === 'exit') this.#replaceBy(answerExit(outcome, flow.negotiation()));
    // With a 101 the connection has become something else: there is no status any more to be changed.
    else if (outcome.status !== 0 && this.upstreamStatus !== 101) this.status = outcome.status;
    this.#applyOverrides();
  }

  /** A plugin answers in the upstream's stead. */
  #replaceBy(answer: Answer): void {
    if (!this.#isUpstreamDone) this.#flow.forwarding?.abort();
    this.status = answer.status;
    this.source = 'exit';
    this.#whole = answer.body;
    this.#hasBody = true;
    this.#held = undefined;
    this.headers = this.headers.concat(answer.headers);
  }

  #applyOverrides(): void {
    const { responseTriples } = this.#flow;
    if (responseTriples !== null) this.headers = applyHeaderOverrides(this.headers, responseTriples);
  }

  onDecided(): void {
    const { exchange } = this.#flow;
    if (this.#whole !== undefined) {
      this.#stage = 'done';
      exchange.send(this.status, this.headers, this.#whole, this.#closesConnection);
      this.#flow.finish();
      return;
    }
    if (!this.#flow.plan.transformsResponse || !this.#openPipe()) this.#startBody('head-ready');
  }

  #startBody(stage: 'head-ready' | 'piping'): void {
    this.#stage = stage;
    if (this.#held !== undefined) this.#releaseHeld();
    else if (this.#isUpstreamDone) this.#endStream();
    // A head in front of a pipe leaves with the first that comes out of it, which may be an error.
    else if (this.#isFlushWanted && stage === 'head-ready') this.#startStreaming(undefined);
  }

  /** False when there is nothing to transform, or nobody to do it. */
  #openPipe(): boolean {
    if (!this.#hasBody) return false;
    const { status, source, headers, upstreamStatus } = this;
    this.#pipe = AnswerPipe.open(this.#flow, { status, source, headers, upstreamStatus }, this);
    if (this.#pipe === undefined) return false;
    this.#stage = 'deciding';
    return true;
  }

  onPipeOpened(isWanted: boolean): void {
    if (!isWanted) this.#pipe = undefined;
    else this.#bodyLength = undefined;
    this.#startBody(isWanted ? 'piping' : 'head-ready');
  }

  beginPiped(bytes: Uint8Array): boolean {
    return this.#beginAnswer(bytes);
  }

  endPiped(hasBegun: boolean): void {
    const { exchange } = this.#flow;
    this.#stage = 'done';
    if (hasBegun) exchange.end(this.#trailers);
    else exchange.send(this.status, this.headers, '');
    this.#flow.finish();
  }

  #hold(chunk: Uint8Array): boolean {
    this.#held ??= [];
    // A copy, which `slice` of a Buffer is not.
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.length;
    return this.#waitsForBody || this.#heldBytes < MAX_HELD_BYTES;
  }

  #releaseHeld(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    let canTakeMore = true;
    for (const chunk of held) canTakeMore = this.onChunk(chunk);
    if (this.#isUpstreamDone) this.#endStream();
    else if (canTakeMore) this.#flow.forwarding?.resume();
  }

  bodyText(): string {
    if (typeof this.#whole === 'string') return Buffer.from(this.#whole, 'utf8').toString('latin1');
    const bytes = this.#whole === undefined ? Buffer.concat(this.#held ?? []) : Buffer.from(this.#whole);
    return bytes.toString('latin1');
  }

  #sendWithHead(chunk: Uint8Array): boolean {
    if (chunk.length !== this.#bodyLength) return this.#startStreaming(chunk);
    this.#stage = 'done';
    this.#flow.exchange.send(this.status, this.headers, chunk);
    return true;
  }

  #startStreaming(chunk: Uint8Array | undefined): boolean {
    this.#stage = 'streaming';
    return this.#beginAnswer(chunk);
  }

  #beginAnswer(chunk: Uint8Array | undefined): boolean {
    const { exchange } = this.#flow;
    let canTakeMore = true;
    exchange.cork(() => {
      exchange.writeHead(this.status, this.headers, this.#bodyLength, this.#hasBody);
      if (chunk !== undefined) canTakeMore = exchange.write(chunk);
    });
    return canTakeMore;
  }

  #endStream(): void {
    const { exchange } = this.#flow;
    if (this.#stage === 'piping') {
      this.#pipe?.end();
      return;
    }
    if (this.#stage === 'head-ready') {
      if (this.#hasBody && this.#bodyLength !== undefined) exchange.send(this.status, this.headers, '');
      else if (this.#hasBody) this.#startStreaming(undefined);
      else exchange.writeHead(this.status, this.headers, this.#bodyLength, false);
    }
    if (this.#stage === 'streaming') exchange.end(this.#trailers);
    this.#stage = 'done';
    this.#flow.finish();
  }
}
