/**
 * What becomes of calls when a crossing was cut short. Whoever could have been running is run again alone, so that only the
 * guilty fails; what had not begun is queued again as if nothing had happened. Code that goes wrong only after a host call
 * does so when its reply crosses alone.
 */
import { encodeFrame, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { SlotTable } from '../../sdk/protocol/slot-table.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import type { ActiveCall } from './active-call.ts';
import type { FrameQueue } from './frame-queue.ts';
import type { GuestReports } from './guest-reports.ts';
import { CrossingError } from './plugin-isolate.ts';
import { type QueuedFrame, startFrame } from './queued-frame.ts';
import type { ReplaceableIsolate } from './replaceable-isolate.ts';

/** How often a call may be run again because others died around it. */
const MAX_RETRIES = 4;

/** The lane it happened in. */
export interface CutLane {
  readonly crossingTimeoutMs: number;
  readonly calls: SlotTable<ActiveCall>;
  readonly queue: FrameQueue;
  readonly reports: GuestReports;
  readonly isolate: ReplaceableIsolate;
  /** A crossing beside the queue. Throws CrossingError. */
  pumpAside(frames: string): void;
  /** A frame that is no call. */
  tell(kind: string, id: number, payload: string): void;
  onIncident(reason: PhaseFailureReason, detail: string): void;
}

export class CutCrossings {
  /** Calls found guilty of taking too long. */
  timeouts = 0;
  readonly #lane: CutLane;
  #cpuAtCrossingNs = 0n;

  constructor(lane: CutLane) {
    this.#lane = lane;
  }

  /** A crossing begins. */
  noteCrossing(): void {
    this.#cpuAtCrossingNs = this.#lane.isolate.cpuTimeNs;
  }

  /** `given`: what the crossing carried. */
  recover(error: CrossingError, given: readonly QueuedFrame[]): void {
    this.#lane.reports.tampering = undefined;
    const wasBusy = this.#burntCpu();
    const suspects =
      error.kind === 'timeout' ? this.#suspectTheRunning(given) : this.#suspectEverybody(error, given);
    const first = given[0]?.call;
    const only = given.every(({ call }) => call === first) ? first : undefined;
    // Once may be the machine's doing: a virtual one can stand still and have that counted as its threads' CPU time.
    const wasGivenAChance = only !== undefined && (only.isOnce || only.retries > 0);
    const isProven = wasGivenAChance && (wasBusy || error.kind !== 'timeout');
    if (only !== undefined && isProven) {
      this.#convict(only, error);
      if (error.kind === 'timeout') return;
    }
    this.#lane.queue.becomeSuspicious();
    for (const suspect of suspects) {
      suspects.delete(suspect);
      const isOver = suspect.listener !== undefined && !this.#lane.calls.has(suspect.id);
      if (isOver || (suspect === only && isProven)) continue;
      if (suspect.isOnce ? this.#giveUp(suspect, error) : this.#retryAlone(suspect, error)) continue;
      // The isolate died of it, and with it everything that others had done in it.
      for (const call of this.#startedCalls()) suspects.add(call);
    }
  }

  /** The isolate is gone or cannot be trusted, and with it the state of every call. */
  #suspectEverybody(error: CrossingError, given: readonly QueuedFrame[]): Set<ActiveCall> {
    this.#rebuild(error);
    const suspects = new Set(this.#startedCalls());
    for (const { call } of given) if (call !== undefined && call.listener === undefined) suspects.add(call);
    return suspects;
  }

  #suspectTheRunning(given: readonly QueuedFrame[]): Set<ActiveCall> {
    const begun = this.#countBegunFrames();
    // What was to be said when the crossing was cut short is still there.
    try {
      this.#lane.pumpAside('');
    } catch {
      // Then it is made again.
    }
    const last = given[begun - 1]?.call;
    this.#lane.queue.putBack(given.slice(begun));
    const queued = new Set(this.#lane.queue.list().map(({ call }) => call));
    const suspects = new Set<ActiveCall>();
    if (last !== undefined && last.listener === undefined) suspects.add(last);
    for (const call of this.#lane.calls.list()) if (call.waits === 0 && !queued.has(call)) suspects.add(call);
    return suspects;
  }

  /** Calls that the isolate has heard of. */
  #startedCalls(): ActiveCall[] {
    const waiting = this.#lane.queue.list();
    const unstarted = new Set(waiting.filter(({ isStart }) => isStart).map(({ call }) => call));
    return this.#lane.calls.list().filter((call) => !unstarted.has(call));
  }

  /**
   * From the start and with nothing else in the isolate: what it does now is its own doing. False when the isolate
   * had to be rebuilt for it.
   */
  #retryAlone(call: ActiveCall, cause: CrossingError): boolean {
    const { isolate, calls, reports, pumpAside } = this.#lane;
    if (isolate.current === undefined) {
      calls.delete(call.id);
      call.listener?.onPhaseFailure('unavailable', 'the isolate could not be rebuilt');
      return true;
    }
    if (++call.retries > MAX_RETRIES) {
      this.#convict(call, cause);
      return true;
    }
    call.waits = 0;
    call.hostCalls = 0;
    try {
      const cancel = call.listener === undefined ? '' : encodeFrame(HOST_FRAMES.cancel, call.id, '');
      pumpAside(cancel + startFrame(call).text);
      if (reports.tampering === undefined) return true;
      throw new CrossingError('error', reports.tampering);
    } catch (error) {
      const failure = error as CrossingError;
      reports.tampering = undefined;
      if (failure.kind === 'timeout') this.#countBegunFrames();
      this.#convict(call, failure);
      if (failure.kind === 'timeout') return true;
      this.#rebuild(failure);
      return false;
    }
  }

  /** It has left half of what it does behind, through whosever doing: there is nothing to go on from. */
  #giveUp(call: ActiveCall, error: CrossingError): true {
    this.#lane.calls.delete(call.id);
    call.listener?.onPhaseFailure(reasonOf(error), error.message);
    return true;
  }

  #convict(call: ActiveCall, error: CrossingError): void {
    const { calls, tell, onIncident } = this.#lane;
    const reason = reasonOf(error);
    if (reason === 'timeout') this.timeouts++;
    onIncident(reason, error.message);
    const isOpen = calls.delete(call.id);
    if (call.listener !== undefined) tell(HOST_FRAMES.cancel, call.id, '');
    if (isOpen) call.listener?.onPhaseFailure(reason, error.message);
  }

  /** A machine that was busy with other things is no fault of the guest's: the time limit counts wall time. */
  #burntCpu(): boolean {
    const { isolate, crossingTimeoutMs } = this.#lane;
    if (isolate.current?.isDisposed !== false) return true;
    const burntMs = Number(isolate.cpuTimeNs - this.#cpuAtCrossingNs) / 1e6;
    return burntMs > crossingTimeoutMs / 2;
  }

  #countBegunFrames(): number {
    try {
      return this.#lane.isolate.current?.resume() ?? 0;
    } catch {
      return 0;
    }
  }

  #rebuild(cause: CrossingError): void {
    const { isolate, queue, reports } = this.#lane;
    reports.forget();
    queue.keepStarts();
    isolate.replace(cause);
    this.noteCrossing();
  }
}

function reasonOf({ kind }: CrossingError): PhaseFailureReason {
  return kind === 'disposed' ? 'memory' : kind === 'timeout' ? 'timeout' : 'protocol';
}
