/**
 * The rewrite phase of one request: plugins that are attached to nothing, before the request is routed. Made only where
 * there is one, so that all other requests know nothing of it.
 */
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { RoutingPlan } from '../config/build-plan.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason, PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { type Answer, answerPluginFailure } from './answer.ts';
import { encodeAccessCall } from './encode-call.ts';
import type { RequestFlow } from './request-flow.ts';

export class RewriteFlow implements PhaseListener {
  readonly #flow: RequestFlow;
  readonly #live: RoutingPlan;
  #nextSegment = 0;
  #phaseCall = 0;

  constructor(flow: RequestFlow, live: RoutingPlan) {
    this.#flow = flow;
    this.#live = live;
  }

  start(): void {
    const segment = this.#live.rewriteSegments[this.#nextSegment];
    if (segment === undefined) {
      this.#leave(undefined);
      return;
    }
    const call = encodeAccessCall(this.#flow, segment.plan, true);
    this.#phaseCall = this.#flow.gateway.lanes[segment.lane]?.submit('rewrite', call, this) ?? 0;
  }

  onPhaseOutcome(outcome: PhaseOutcome): void {
    this.#phaseCall = 0;
    this.#flow.applyOutcome(outcome);
    const answer = this.#flow.answerOf(outcome);
    if (answer !== undefined) {
      this.#leave(answer);
      return;
    }
    this.#nextSegment++;
    this.start();
  }

  onPhaseFailure(reason: PhaseFailureReason, detail: string): void {
    this.#phaseCall = 0;
    this.#flow.logFailure(`rewrite phase failed: ${reason}`, detail);
    this.#leave(answerPluginFailure());
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#flow.onPhaseLog(lines);
  }

  readBody(maxBytes: number): Promise<Uint8Array> {
    return this.#flow.readBody(maxBytes);
  }

  /** The client has gone. */
  abort(): void {
    const lane = this.#live.rewriteSegments[this.#nextSegment]?.lane ?? 0;
    if (this.#phaseCall !== 0) this.#flow.gateway.lanes[lane]?.cancel(this.#phaseCall);
  }

  #leave(answer: Answer | undefined): void {
    this.#flow.leaveRewrite(this.#live, answer);
  }
}
