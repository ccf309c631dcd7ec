/** A phase of one request while a guest has it. */
import type { HostCallCaller } from './host-calls.ts';
import type { PhaseOutcome } from './phase-outcome.ts';

export type PhaseFailureReason =
  /** The handlers ran longer than a crossing may. */
  | 'timeout'
  /** The isolate was stopped for using too much memory. */
  | 'memory'
  /** The phase took longer than a request may wait. */
  | 'deadline'
  /** The guest answered with something that is no result. */
  | 'protocol'
  /** There is no isolate to run in: it keeps failing to load. */
  | 'unavailable';

/** Who wants to know how a phase went. Exactly one of the two is called, unless the call is cancelled. */
export interface PhaseListener extends HostCallCaller {
  onPhaseOutcome(outcome: PhaseOutcome): void;
  onPhaseFailure(reason: PhaseFailureReason, detail: string): void;
}

export class ActiveCall {
  readonly id: number;
  /** One of HOST_FRAMES: kept, like the payload, so that an innocent call can be run again. */
  readonly kind: string;
  readonly payload: string;
  /** Undefined for log records, which nobody waits for. */
  readonly listener: PhaseListener | undefined;
  readonly startedAtMs: number;
  /** Host calls under way: above zero, the guest cannot be running this call. */
  waits = 0;
  hostCalls = 0;

  constructor(
    id: number,
    kind: string,
    payload: string,
    listener: PhaseListener | undefined,
    startedAtMs: number,
  ) {
    this.id = id;
    this.kind = kind;
    this.payload = payload;
    this.listener = listener;
    this.startedAtMs = startedAtMs;
  }
}
