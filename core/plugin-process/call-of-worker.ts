/** In the process of a package: one call of the worker's, whose outcome goes there as it is, to be read where it is used. */
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { PROCESS_FRAMES } from './wire.ts';

export interface CallSink {
  write(kind: string, id: number, payload: string): void;
  /** The call is over. */
  forget(id: number): void;
}

export class CallOfWorker implements PhaseListener {
  /** The worker's. */
  readonly id: number;
  readonly #sink: CallSink;

  constructor(id: number, sink: CallSink) {
    this.id = id;
    this.#sink = sink;
  }

  onPhaseText(kind: string, payload: string): void {
    if (kind !== PROCESS_FRAMES.trace && kind !== PROCESS_FRAMES.logLines) this.#sink.forget(this.id);
    this.#sink.write(kind, this.id, payload);
  }

  onPhaseFailure(reason: PhaseFailureReason, detail: string): void {
    this.#sink.forget(this.id);
    this.#sink.write(PROCESS_FRAMES.failed, this.id, `${reason}\n${detail}`);
  }

  onPhaseOutcome(): void {
    throw new Error('results are read by the worker');
  }

  readBody(): Promise<Uint8Array> {
    throw new Error('bodies are with the worker');
  }
}
