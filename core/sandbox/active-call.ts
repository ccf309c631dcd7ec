/** A phase of one request while a guest has it. */
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { TakeMemory } from './counted-once.ts';

export class ActiveCall implements TakeMemory {
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
