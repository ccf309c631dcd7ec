/**
 * What a guest has said of its calls, told to whoever waits for them, behind the crossing. A stranger may have written it: what
 * a runtime of ours would not have written shows that it has been tampered with.
 */
import { type Frame, GUEST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { SlotTable } from '../../sdk/protocol/slot-table.ts';
import { decodeTraceReport } from '../../sdk/protocol/trace.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import type { ActiveCall } from './active-call.ts';
import { decodeLogLines } from './decode-log-lines.ts';
import { decodePhaseOutcome, readFailure } from './decode-phase-outcome.ts';

export interface ReportEvents {
  onLogLines(lines: readonly LogLine[]): void;
  onIncident(reason: PhaseFailureReason, detail: string): void;
}

export class GuestReports {
  /** What made it plain that the guest's runtime has been tampered with. */
  tampering: string | undefined;
  /** The package may choose where requests go. */
  mayRetarget = false;
  readonly #calls: SlotTable<ActiveCall>;
  readonly #events: ReportEvents;
  /** Since it was acted upon last. */
  #said: Frame[] = [];

  /** `calls`: whose outcome somebody waits for. */
  constructor(calls: SlotTable<ActiveCall>, events: ReportEvents) {
    this.#calls = calls;
    this.#events = events;
  }

  add(kind: string, id: number, payload: string): void {
    this.#said.push({ kind, id, payload });
  }

  /** Acts on all that was added. */
  deliver(): void {
    const said = this.#said;
    if (said.length === 0) return;
    this.#said = [];
    for (const { kind, id, payload } of said) this.#act(kind, id, payload);
  }

  /** Whatever runs in this isolate cannot be trusted any more. */
  noteTampering(detail: string): void {
    if (this.tampering === undefined) this.#events.onIncident('protocol', detail);
    this.tampering ??= detail;
  }

  /** The isolate is another one. */
  forget(): void {
    this.tampering = undefined;
    this.#said = [];
  }

  #act(kind: string, id: number, payload: string): void {
    switch (kind) {
      case GUEST_FRAMES.proceed:
      case GUEST_FRAMES.exit:
      case GUEST_FRAMES.error:
        this.#finish(kind, id, payload);
        break;
      case GUEST_FRAMES.stepDone:
      case GUEST_FRAMES.stepFailed:
        this.#finishStep(kind, id, payload);
        break;
      case GUEST_FRAMES.logLines:
        this.#receiveLogLines(id, payload);
        break;
      case GUEST_FRAMES.trace:
        this.#receiveTrace(id, payload);
        break;
      default:
        this.noteTampering(`unknown frame '${kind}'`);
    }
  }

  #receiveLogLines(id: number, payload: string): void {
    const listener = this.#calls.get(id)?.listener;
    if (listener !== undefined && 'onPhaseText' in listener && listener.onPhaseText !== undefined) {
      listener.onPhaseText(GUEST_FRAMES.logLines, payload);
      return;
    }
    let lines: readonly LogLine[];
    try {
      lines = decodeLogLines(payload);
    } catch (error) {
      this.noteTampering(String(error));
      return;
    }
    this.#events.onLogLines(lines);
    listener?.onPhaseLog?.(lines);
  }

  #receiveTrace(id: number, payload: string): void {
    const listener = this.#calls.get(id)?.listener;
    try {
      if (listener === undefined || !('onPhaseOutcome' in listener)) return;
      if (listener.onPhaseText !== undefined) listener.onPhaseText(GUEST_FRAMES.trace, payload);
      else listener.onPhaseTrace?.(decodeTraceReport(payload));
    } catch (error) {
      this.noteTampering(String(error));
    }
  }

  #finish(kind: string, id: number, payload: string): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    const { listener } = call;
    if (listener !== undefined && 'onPhaseText' in listener && listener.onPhaseText !== undefined) {
      listener.onPhaseText(kind, payload);
      return;
    }
    let outcome: ReturnType<typeof decodePhaseOutcome>;
    try {
      if (listener !== undefined && !('onPhaseOutcome' in listener))
        throw new RangeError('the result of a phase for what is none');
      outcome = decodePhaseOutcome(kind, payload, this.mayRetarget);
    } catch (error) {
      this.noteTampering(String(error));
      listener?.onPhaseFailure('protocol', String(error));
      return;
    }
    // What the gateway does with a result must neither end the turn of other requests nor leave this one unanswered.
    try {
      listener?.onPhaseOutcome(outcome);
    } catch (error) {
      this.#events.onIncident(
        'protocol',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
      listener?.onPhaseFailure('protocol', String(error));
    }
  }

  #finishStep(kind: string, id: number, payload: string): void {
    const listener = this.#calls.get(id)?.listener;
    if (listener === undefined) return;
    this.#calls.delete(id);
    try {
      if (!('onStepDone' in listener)) throw new RangeError('the result of a step for a phase');
      if (kind === GUEST_FRAMES.stepDone) listener.onStepDone(payload);
      else listener.onStepFailed(readFailure(payload));
    } catch (error) {
      this.noteTampering(String(error));
      listener.onPhaseFailure('protocol', String(error));
    }
  }
}
