/**
 * The way into a package that has a process of its own. The lane with its isolate runs over there; here it is known which
 * calls are under way, what the guest may ask for, and what becomes of calls when the process ends.
 */

import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import { encodeFrame } from '../../sdk/protocol/frames.ts';
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import { SlotTable } from '../../sdk/protocol/slot-table.ts';
import { decodeTraceReport } from '../../sdk/protocol/trace.ts';
import type { BodyListener, LanePhase, PhaseListener } from '../pipeline/phase-lane.ts';
import { PHASE_FAILURE_REASONS, type PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { ActiveCall, type StepListener } from '../sandbox/active-call.ts';
import { decodeLogLines } from '../sandbox/decode-log-lines.ts';
import { decodePhaseOutcome, mayRetarget, readFailure } from '../sandbox/decode-phase-outcome.ts';
import { encodeConfiguration } from '../sandbox/encode-configuration.ts';
import type { LaneEvents } from '../sandbox/isolate-lane.ts';
import type { HostCallPerformer, LaneHost } from '../sandbox/lane-host.ts';
import type { LaneStats, PackageLane } from '../sandbox/package-lane.ts';
import { PassingBodies } from '../sandbox/passing-bodies.ts';
import { OpenQuestions } from './open-questions.ts';
import { ReplaceableProcess } from './replaceable-process.ts';
import { Suspects } from './suspects.ts';
import {
  decodeForwardedCall,
  decodeMeasurements,
  PROCESS_FRAMES,
  type ProcessBoot,
  WORKER_FRAMES,
} from './wire.ts';

const SWEEP_MS = 100;
/** The process keeps the deadline of a phase itself; this is for one that does not. */
const DEADLINE_GRACE_MS = 300;
/** The lane in the process may run a call again so often; beyond that count the runs in the next process. */
const RUNS_PER_PROCESS = 8;
/** Bytes on their way to a process that does not take them: log records are no longer added. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Longer than this nobody waits for what a process has counted. */
const MEASUREMENT_TIMEOUT_MS = 500;

export interface ProcessLaneEvents extends Pick<LaneEvents, 'onLogLines' | 'onIncident'> {
  /** The guest has taken a configuration, or has not: why. */
  onConfigured(problem: string | undefined): void;
}

export class ProcessLane implements PackageLane {
  readonly manifest: PackageManifest;
  readonly #boot: ProcessBoot;
  readonly #host: LaneHost;
  readonly #events: ProcessLaneEvents;
  readonly #process: ReplaceableProcess;
  readonly #hostCalls: HostCallPerformer;
  readonly #calls = new SlotTable<ActiveCall>();
  readonly #suspects: Suspects;
  readonly #sweep: NodeJS.Timeout;
  readonly #mayRetarget: boolean;
  readonly #bodies: PassingBodies;
  readonly #draining = new OpenQuestions<true>();
  #isResting = false;
  readonly #measuring = new OpenQuestions<string>();

  /** `manifest` is what the operator has been shown. */
  constructor(boot: ProcessBoot, manifest: PackageManifest, host: LaneHost, events: ProcessLaneEvents) {
    this.manifest = manifest;
    this.#mayRetarget = mayRetarget(manifest);
    this.#boot = boot;
    this.#host = host;
    this.#events = events;
    this.#suspects = new Suspects({
      start: (call) => this.#process.current?.write(call.kind, call.id, call.payload),
      isWanted: (call) => this.#calls.has(call.id),
    });
    this.#process = new ReplaceableProcess(boot, manifest, {
      onFrame: (kind, id, payload) => this.#receive(kind, id, payload),
      onOpen: () => {
        if (this.#isResting) this.rest(true);
        this.#suspects.open();
      },
      onEnded: (reason, detail) => this.#recover(reason, detail),
      onUnavailable: (detail) => events.onIncident('unavailable', detail),
    });
    this.#hostCalls = host.createHostCalls(manifest, {
      maxBodyBytes: boot.limits.maxBodyBytes,
      currentIsolate: () => this.#process.current,
      deliver: ({ text }) => this.#process.current?.writeEncoded(text),
    });
    this.#bodies = new PassingBodies({
      start: (kind, payload, step, isOnce) => this.#start(kind, payload, step, isOnce),
      cancel: (call) => this.cancel(call),
      tell: (kind, id) => this.#process.current?.write(kind, id, ''),
    });
    this.#sweep = setInterval(() => this.#look(), SWEEP_MS).unref();
  }

  get ready(): Promise<void> {
    return this.#process.ready;
  }

  configure(configuration: GuestConfiguration): void {
    const json = encodeConfiguration(configuration, this.#boot.limits, this.#host.node);
    this.#process.configure(configuration.generation, json);
  }

  dropGeneration(generation: number): void {
    if (this.#process.forgetConfiguration(generation))
      this.#process.current?.write(WORKER_FRAMES.drop, generation, '');
  }

  submit(phase: LanePhase, payload: string, listener: PhaseListener): number {
    const call = new ActiveCall(this.#calls.reserve(), WORKER_FRAMES[phase], payload, listener, Date.now());
    this.#calls.put(call.id, call);
    this.#suspects.admit(call);
    return call.id;
  }

  openBody(direction: BodyDirection, call: string, listener: BodyListener): number {
    return this.#bodies.openBody(direction, call, listener);
  }

  feedBody(body: number, bytes: string, isLast: boolean): void {
    this.#bodies.feedBody(body, bytes, isLast);
  }

  closeBody(body: number): void {
    this.#bodies.closeBody(body);
  }

  #start(kind: string, payload: string, listener: StepListener, isOnce: boolean): number {
    const id = this.#calls.reserve();
    const call = new ActiveCall(id, kind, payload, listener, Date.now(), isOnce);
    this.#calls.put(id, call);
    this.#suspects.admit(call);
    return id;
  }

  rest(isResting: boolean): void {
    this.#isResting = isResting;
    this.#process.current?.write(WORKER_FRAMES.rest, isResting ? 1 : 0, '');
  }

  drain(timeoutMs: number, done: () => void): void {
    const process = this.#process.current;
    const isIdle = this.manifest.plugins.every(({ background }) => background?.takesBatches !== true);
    if (process === undefined || isIdle) {
      done();
      return;
    }
    const send = (number: number) => process.write(WORKER_FRAMES.drain, number, String(timeoutMs));
    this.#draining.ask(timeoutMs, send, done);
    process.flush();
  }

  submitLog(payload: string): void {
    const process = this.#process.current;
    if (process === undefined || process.waitingBytes > MAX_WAITING_BYTES) return;
    process.write(WORKER_FRAMES.log, 0, payload);
  }

  cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    this.#process.current?.write(WORKER_FRAMES.cancel, id, '');
    this.#suspects.release(call);
  }

  invalidate(invalidation: Invalidation): void {
    this.#process.current?.write(WORKER_FRAMES.invalidate, 0, JSON.stringify(invalidation));
  }

  flush(): void {
    this.#process.current?.flush();
  }

  async collectMetrics(): Promise<string | undefined> {
    const process = this.#process.current;
    if (process === undefined) return undefined;
    return new Promise((resolve) => {
      const send = (number: number) => process.write(WORKER_FRAMES.measure, number, '');
      this.#measuring.ask(MEASUREMENT_TIMEOUT_MS, send, resolve);
    });
  }

  stats(): LaneStats {
    return this.#process.stats();
  }

  lowerPriority(): void {
    this.#process.current?.lowerPriority();
  }

  dispose(): void {
    clearInterval(this.#sweep);
    this.#process.dispose();
    this.#measuring.giveUp();
    this.#draining.giveUp();
  }

  /** All of it a stranger may have written. */
  #receive(kind: string, id: number, payload: string): void {
    try {
      this.#read(kind, id, payload);
    } catch (error) {
      this.#process.kill('protocol', String(error));
    }
  }

  #read(kind: string, id: number, payload: string): void {
    switch (kind) {
      case PROCESS_FRAMES.proceed:
      case PROCESS_FRAMES.exit:
      case PROCESS_FRAMES.error:
        this.#finish(kind, id, payload);
        break;
      case PROCESS_FRAMES.stepDone:
      case PROCESS_FRAMES.stepFailed:
        this.#finishStep(kind, id, payload);
        break;
      case PROCESS_FRAMES.drained:
        this.#draining.answer(id, true);
        break;
      case PROCESS_FRAMES.failed:
        this.#readFailure(payload, (reason, detail) => this.#fail(this.#calls.get(id), reason, detail));
        break;
      case PROCESS_FRAMES.hostCall:
        this.#performHostCall(id, payload);
        break;
      case PROCESS_FRAMES.logLines: {
        const lines = decodeLogLines(payload);
        this.#events.onLogLines(lines);
        this.#calls.get(id)?.listener?.onPhaseLog?.(lines);
        break;
      }
      case PROCESS_FRAMES.trace:
        this.#phaseListenerOf(id)?.onPhaseTrace?.(decodeTraceReport(payload));
        break;
      case PROCESS_FRAMES.incident:
        this.#readFailure(payload, (reason, detail) => this.#accuse(reason, detail));
        break;
      case PROCESS_FRAMES.configured:
        this.#events.onConfigured(payload === '' ? undefined : payload);
        break;
      case PROCESS_FRAMES.measured:
        this.#noteMeasurements(id, payload);
        break;
      default:
        throw new RangeError(`unknown frame '${kind}'`);
    }
  }

  #readFailure(payload: string, use: (reason: PhaseFailureReason, detail: string) => void): void {
    const lineEnd = payload.indexOf('\n');
    const claimed = payload.slice(0, Math.max(lineEnd, 0));
    const reason = PHASE_FAILURE_REASONS.find((known) => known === claimed);
    if (reason === undefined) throw new RangeError('unknown reason of a failure');
    use(reason, payload.slice(lineEnd + 1));
  }

  #accuse(reason: PhaseFailureReason, detail: string): void {
    this.lowerPriority();
    this.#events.onIncident(reason, detail);
  }

  #performHostCall(id: number, text: string): void {
    const { retries, payload } = decodeForwardedCall(text);
    if (!Number.isInteger(retries) || retries < 0 || retries >= RUNS_PER_PROCESS) {
      throw new RangeError('malformed host call');
    }
    const call = this.#calls.get(id);
    if (id !== 0 && call === undefined) {
      const number = payload.slice(0, Math.max(payload.indexOf('\n'), 0));
      const refusal = encodeFrame(WORKER_FRAMES.failure, 0, `${number}\nthe request is gone`);
      this.#process.current?.writeEncoded(refusal);
      return;
    }
    if (call !== undefined) this.#noteRun(call, retries);
    this.#hostCalls.perform(payload, call);
  }

  /** Each run of a call may make its host calls, and counts nothing that an earlier one has counted. */
  #noteRun(call: ActiveCall, runInProcess: number): void {
    const run = call.retries - (call.retries % RUNS_PER_PROCESS) + runInProcess;
    if (run <= call.retries) return;
    call.retries = run;
    call.hostCalls = 0;
  }

  #finish(kind: string, id: number, payload: string): void {
    const call = this.#calls.get(id);
    const listener = this.#phaseListenerOf(id);
    if (call === undefined || listener === undefined) return;
    const outcome = decodePhaseOutcome(kind, payload, this.#mayRetarget);
    this.#calls.delete(id);
    this.#suspects.release(call);
    // What the gateway does with a result is no doing of the guest's.
    try {
      listener.onPhaseOutcome(outcome);
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#events.onIncident('protocol', detail);
      listener.onPhaseFailure('protocol', detail);
    }
  }

  #phaseListenerOf(id: number): PhaseListener | undefined {
    const listener = this.#calls.get(id)?.listener;
    return listener !== undefined && 'onPhaseOutcome' in listener ? listener : undefined;
  }

  #finishStep(kind: string, id: number, payload: string): void {
    const call = this.#calls.get(id);
    const listener = call?.listener;
    if (call === undefined || listener === undefined || !('onStepDone' in listener)) return;
    const failure = kind === PROCESS_FRAMES.stepFailed ? readFailure(payload) : undefined;
    this.#calls.delete(id);
    this.#suspects.release(call);
    if (failure === undefined) listener.onStepDone(payload);
    else listener.onStepFailed(failure);
  }

  #fail(call: ActiveCall | undefined, reason: PhaseFailureReason, detail: string): void {
    if (call === undefined || !this.#calls.delete(call.id)) return;
    this.#suspects.release(call);
    call.listener?.onPhaseFailure(reason, detail);
  }

  /** The process is gone, and with it the state of every call that was in it. */
  #recover(reason: PhaseFailureReason, detail: string): void {
    this.#events.onIncident(reason, detail);
    this.#measuring.giveUp();
    this.#draining.giveUp();
    const running = this.#calls.list().filter((call) => !this.#suspects.isWaiting(call));
    for (const call of running) {
      call.retries += RUNS_PER_PROCESS - (call.retries % RUNS_PER_PROCESS);
      call.hostCalls = 0;
      call.waits = 0;
    }
    this.#fail(this.#suspects.close(running), reason, detail);
    // What they have left behind in the process cannot be made again.
    for (const call of running) if (call.isOnce) this.#fail(call, reason, detail);
  }

  #noteMeasurements(number: number, payload: string): void {
    const { metrics, stats } = decodeMeasurements(payload);
    this.#process.noteStats(stats);
    this.#measuring.answer(number, metrics);
  }

  #look(): void {
    const calls = this.#calls.list();
    if (calls.length === 0) return;
    this.#process.look(performance.now());
    const deadlineMs = this.#boot.limits.phaseDeadlineMs + DEADLINE_GRACE_MS;
    const startedBeforeMs = Date.now() - deadlineMs;
    for (const call of calls) {
      if (call.startedAtMs > startedBeforeMs) continue;
      this.#process.current?.write(WORKER_FRAMES.cancel, call.id, '');
      this.#accuse('deadline', `no result after ${deadlineMs} ms`);
      this.#fail(call, 'deadline', `no result after ${deadlineMs} ms`);
    }
  }
}
