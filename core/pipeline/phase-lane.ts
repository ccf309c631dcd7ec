/** The way into one package of plugins, as the request path sees it. */
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { TraceReport } from '../../sdk/protocol/trace.ts';
import type { PhaseFailureReason, PhaseOutcome } from './phase-outcome.ts';

/** The phases that somebody waits for. */
export type LanePhase = 'rewrite' | 'access' | 'response';

/** Who started a phase. Exactly one of the first two is called, later, unless the phase is cancelled. */
export interface PhaseListener {
  onPhaseOutcome(outcome: PhaseOutcome): void;
  onPhaseFailure(reason: PhaseFailureReason, detail: string): void;
  /** Ahead of the outcome, where the request has a trace or a plugin has asked for one. */
  onPhaseTrace?(report: TraceReport): void;
  /** Ahead of the outcome: what plugins have said in the log, which somebody else writes. */
  onPhaseLog?(lines: readonly LogLine[]): void;
  /**
   * Instead of the outcome, the trace and the log lines: each as the guest wrote it, under its letter of GUEST_FRAMES. For
   * whoever passes them on to where they are read.
   */
  onPhaseText?(kind: string, payload: string): void;
  /** A plugin wants the client's body: all of it, empty without one. Rejects above `maxBytes`. */
  readBody(maxBytes: number): Promise<Uint8Array>;
}

export interface PhaseLane {
  /** Starts a phase with a call as encode-call.ts writes it; the number returned cancels it. */
  submit(phase: LanePhase, call: string, listener: PhaseListener): number;
  cancel(id: number): void;
  /** Hands over a finished request; nobody hears of it again. */
  submitLog(call: string): void;
}
