/** The response phase of one answer: the packages that have one, in their order, each with what those before have made of it. */
import type { ResponseFacts } from '../../sdk/protocol/phase-call.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { TraceReport } from '../../sdk/protocol/trace.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason, PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { encodeResponseCall } from './encode-call.ts';
import type { RequestFlow } from './request-flow.ts';

/** The answer they decide about. */
export interface UndecidedAnswer
  extends Pick<ResponseFacts, 'status' | 'source' | 'headers' | 'upstreamStatus'> {
  /** Of the upstream's answer as it came; flat. */
  readonly serviceHeaders: readonly string[];
  /** The whole body, as latin1 text. */
  bodyText(): string;
  onDecision(outcome: PhaseOutcome): void;
  /** All have decided. */
  onDecided(): void;
}

export class ResponsePhase implements PhaseListener {
  readonly #flow: RequestFlow;
  readonly #answer: UndecidedAnswer;
  #nextLane = 0;
  #call = 0;

  constructor(flow: RequestFlow, answer: UndecidedAnswer) {
    this.#flow = flow;
    this.#answer = answer;
  }

  runNext(): void {
    const { plan, gateway, picks } = this.#flow;
    while (this.#nextLane < plan.lanes.length) {
      const at = this.#nextLane++;
      const phases = plan.lanes[at];
      if (phases === undefined || !phases.hasResponse || picks[at] === '') continue;
      this.#flow.trace?.onPhaseStart('response');
      const { status, source, headers, upstreamStatus, serviceHeaders } = this.#answer;
      const body = phases.needsResponseBody ? { body: this.#answer.bodyText() } : {};
      const facts = { status, source, headers, upstreamStatus, ...body };
      const call = encodeResponseCall(this.#flow, phases.plan, picks[at] ?? '', facts, serviceHeaders);
      this.#call = gateway.lanes[phases.lane]?.submit('response', call, this) ?? 0;
      return;
    }
    this.#answer.onDecided();
  }

  /** Nobody waits for it any more. */
  abort(): void {
    if (this.#call === 0) return;
    const lane = this.#flow.plan.lanes[this.#nextLane - 1]?.lane ?? 0;
    this.#flow.gateway.lanes[lane]?.cancel(this.#call);
    this.#call = 0;
  }

  onPhaseOutcome(outcome: PhaseOutcome): void {
    this.#call = 0;
    this.#answer.onDecision(outcome);
    this.runNext();
  }

  onPhaseFailure(reason: PhaseFailureReason, detail: string): void {
    this.#call = 0;
    this.#flow.logFailure(`response phase failed: ${reason}`, detail);
    this.runNext();
  }

  onPhaseTrace(report: TraceReport): void {
    this.#flow.onPhaseTrace(report);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#flow.onPhaseLog(lines);
  }

  readBody(maxBytes: number): Promise<Uint8Array> {
    return this.#flow.readBody(maxBytes);
  }
}
