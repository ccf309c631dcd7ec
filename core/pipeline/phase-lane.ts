/** The way into one package of plugins, as the request path sees it. */
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
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

/**
 * Whose body passes. `onBodyOpened` comes first, then one `onBodyFed` for each `feedBody`, in order; `onBodyFailure` takes the
 * place of any of them and is the last. Nothing comes after `closeBody`.
 */
export interface BodyListener {
  /** False: no plugin has anything to do to it, and it is closed. */
  onBodyOpened(isWanted: boolean): void;
  /** What takes the place of the bytes that were fed, as latin1 text of any length. Behind the last, the body is closed. */
  onBodyFed(bytes: string): void;
  onBodyFailure(reason: PhaseFailureReason | 'error', detail: string): void;
  onPhaseLog?(lines: readonly LogLine[]): void;
}

/** The way of bodies into one package. Text goes in and text comes out, later: it may lie in another process. */
export interface BodyLane {
  /** Begins a body with a call as encode-call.ts writes it; the number returned is for the other two. */
  openBody(direction: BodyDirection, call: string, listener: BodyListener): number;
  /** The next bytes, as latin1 text. Not before what came before them has been answered. */
  feedBody(body: number, bytes: string, isLast: boolean): void;
  /** Nobody waits for it any more. */
  closeBody(body: number): void;
}

export interface PhaseLane extends BodyLane {
  /** Starts a phase with a call as encode-call.ts writes it; the number returned cancels it. */
  submit(phase: LanePhase, call: string, listener: PhaseListener): number;
  cancel(id: number): void;
  /** Hands over a finished request; nobody hears of it again. */
  submitLog(call: string): void;
}
