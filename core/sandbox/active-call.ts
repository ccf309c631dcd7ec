/** A phase of one request while a guest has it. */
import type { GuestError } from '../../sdk/protocol/phase-result.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { TakeMemory } from './counted-once.ts';

/** Who waits for something that is no phase: a piece of a body, a batch, a timer. */
export interface StepListener extends Pick<PhaseListener, 'onPhaseFailure' | 'onPhaseLog'> {
  onStepDone(payload: string): void;
  /** A handler threw. */
  onStepFailed(failure: GuestError): void;
}

export type CallListener = PhaseListener | StepListener;

export class ActiveCall implements TakeMemory {
  readonly id: number;
  /** One of HOST_FRAMES: kept, like the payload, so that an innocent call can be run again. */
  readonly kind: string;
  readonly payload: string;
  /** Undefined for log records, which nobody waits for. */
  readonly listener: CallListener | undefined;
  readonly startedAtMs: number;
  /** Changes what is kept in the isolate: it cannot be run again. */
  readonly isOnce: boolean;
  /** It may take as long as work may that nobody waits for. */
  readonly isBackground: boolean;
  /** Host calls under way: above zero, the guest cannot be running this call. */
  waits = 0;
  hostCalls = 0;
  /** Times it was run again because a crossing was cut short. */
  retries = 0;
  takeName: TakeMemory['takeName'];
  takeArgument: TakeMemory['takeArgument'];
  takeReply: TakeMemory['takeReply'];
  takeRun: TakeMemory['takeRun'];
  laterTakes: TakeMemory['laterTakes'];

  constructor(
    id: number,
    kind: string,
    payload: string,
    listener: CallListener | undefined,
    startedAtMs: number,
    isOnce = false,
    isBackground = false,
  ) {
    this.id = id;
    this.kind = kind;
    this.payload = payload;
    this.listener = listener;
    this.startedAtMs = startedAtMs;
    this.isOnce = isOnce;
    this.isBackground = isBackground;
  }
}
