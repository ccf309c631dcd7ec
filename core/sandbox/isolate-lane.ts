/**
 * The way into one package's isolate for all requests of a worker.
 *
 * Calls are gathered during a turn of the event loop and cross together: the fixed cost of a crossing and of its
 * time limit is shared by every request that arrived in that turn. Host calls that need no waiting are answered
 * within the crossing, so nearly every call is over with it; the rest are answered in a later one. Nothing here is
 * a promise.
 */

import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import {
  decodeFrames,
  encodeFrame,
  type Frame,
  GUEST_FRAMES,
  HOST_FRAMES,
} from '../../sdk/protocol/frames.ts';
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { GuestConfiguration, NodeFacts } from '../../sdk/protocol/plan.ts';
import { SlotTable } from '../../sdk/protocol/slot-table.ts';
import { decodeTraceReport } from '../../sdk/protocol/trace.ts';
import type { BodyListener, LanePhase, PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { ActiveCall, type StepListener } from './active-call.ts';
import { type BackgroundClock, REAL_CLOCK } from './background-clock.ts';
import { BackgroundWork } from './background-work.ts';
import type { PackageBundle } from './bundle-package.ts';
import { decodeLogLines } from './decode-log-lines.ts';
import { decodePhaseOutcome, readFailure } from './decode-phase-outcome.ts';
import { BACKGROUND_DEADLINE_MS, type IsolateLimits } from './isolate-limits.ts';
import type { HostCallPerformer, LaneHost } from './lane-host.ts';
import type { LaneStats, PackageLane } from './package-lane.ts';
import { PassingBodies } from './passing-bodies.ts';
import { CrossingError } from './plugin-isolate.ts';
import { joinFrames, type QueuedFrame, startFrame } from './queued-frame.ts';
import { ReplaceableIsolate } from './replaceable-isolate.ts';

/** Crossings in one turn of the event loop before other work gets a chance. */
const MAX_ROUNDS_PER_TURN = 64;
/** Log records have no number of their own: nothing comes back for them. */
const LOG_CALL_ID = 0;
const MAX_QUEUED_LOGS = 128;
const LOG_PAUSE_MS = 10;
const DEADLINE_SWEEP_MS = 100;
/** For so long after a crossing was cut short it is looked whether frames are for calls that are suspected. */
const SUSPICION_MS = 10_000;
/** Entries of queues that one crossing may bring: a runtime of ours keeps far below. */
const MAX_ENTRIES_PER_CROSSING = 100_000;
/** How often a call may be run again because others died around it. */
const MAX_RETRIES = 4;
/** One crossing in so many has its handlers timed: looking at the clock costs more than most of them. */
const CROSSINGS_PER_SAMPLE = 64;
const SAMPLE = encodeFrame(HOST_FRAMES.sample, 0, '');
const BYTES_PER_MB = 1024 * 1024;

export interface LaneEvents {
  onLogLines(lines: readonly LogLine[]): void;
  /** A limit was hit; the isolate may have been replaced. */
  onIncident(reason: PhaseFailureReason, detail: string): void;
  /** V8 gave up: the process should be replaced soon. */
  onCatastrophe(message: string): void;
  /** Around everything that runs in the isolate, where somebody has to know. */
  onEnter?(): void;
  onLeave?(): void;
}

export class IsolateLane implements PackageLane {
  readonly manifest: PackageManifest;
  readonly #limits: IsolateLimits;
  readonly #host: LaneHost;
  readonly #events: LaneEvents;
  readonly #isolate: ReplaceableIsolate;
  readonly #hostCalls: HostCallPerformer;
  readonly #sweep: NodeJS.Timeout;
  readonly #mayRetarget: boolean;
  readonly #bodies: PassingBodies;
  /** Undefined where no plugin does anything without a request. */
  readonly #background: BackgroundWork | undefined;
  /** Calls whose outcome somebody waits for. */
  readonly #calls = new SlotTable<ActiveCall>();
  #queue: QueuedFrame[] = [];
  /** What the guest has been given in the crossing under way; undefined between crossings. */
  #given: QueuedFrame[] | undefined;
  /** What the guest has said since it was acted upon last. */
  #said: Frame[] = [];
  /** Until then calls that were run again may be under way: what is for them crosses by itself. */
  #suspiciousUntilMs = 0;
  /** What made it plain that the guest's runtime has been tampered with. */
  #tampering: string | undefined;
  #isClosed = false;
  #isScheduled = false;
  #isInTurn = false;
  #queuedLogs = 0;
  /** Of the crossing under way. */
  #queuedEntries = 0;
  #lastLogAtMs = 0;
  #logTimer: NodeJS.Timeout | undefined;
  #cpuAtCrossingNs = 0n;
  #crossings = 0;
  /** Those that carry calls first. */
  #callCrossings = 0;
  #timeouts = 0;

  /** Throws CrossingError when the bundle does not load, TypeError when it speaks another protocol. */
  constructor(
    bundle: PackageBundle,
    limits: IsolateLimits,
    host: LaneHost,
    events: LaneEvents,
    clock: BackgroundClock = REAL_CLOCK,
  ) {
    this.#limits = limits;
    this.#host = host;
    this.#events = events;
    this.#isolate = new ReplaceableIsolate(bundle, limits, {
      onSaid: (text) => this.#hear(text),
      onReplaced: () => this.#background?.onRebuilt(),
      onUnavailable: (detail) => events.onIncident('unavailable', detail),
      onCatastrophe: (message) => events.onCatastrophe(message),
      ...(events.onEnter && { onEnter: events.onEnter }),
      ...(events.onLeave && { onLeave: events.onLeave }),
    });
    this.manifest = JSON.parse(String(this.#isolate.current?.call('describe'))) as PackageManifest;
    this.#mayRetarget = mayRetarget(this.manifest);
    this.#hostCalls = host.createHostCalls(this.manifest, {
      maxBodyBytes: limits.maxBodyBytes,
      currentIsolate: () => this.#isolate.current,
      deliver: (reply) => this.#deliver(reply),
    });
    this.#bodies = new PassingBodies({
      start: (kind, payload, listener, isOnce) => this.#start(kind, payload, listener, isOnce, false),
      cancel: (call) => this.cancel(call),
      tell: (kind, id) => this.#enqueueText(encodeFrame(kind, id, '')),
    });
    this.#background = BackgroundWork.of(this.manifest, {
      clock,
      start: (kind, payload, listener) => this.#start(kind, payload, listener, false, true),
      tell: (kind, payload) => this.#enqueueText(encodeFrame(kind, 0, payload)),
      onLogLines: (lines) => events.onLogLines(lines),
    });
    this.#sweep = setInterval(() => this.#failOverdueCalls(), DEADLINE_SWEEP_MS).unref();
  }

  /** Hands a generation of configuration to the guest. Throws CrossingError when it cannot take it. */
  configure(configuration: GuestConfiguration): void {
    this.take(configuration.generation, encodeConfiguration(configuration, this.#limits, this.#host.node));
  }

  /** The same, of a text that `encodeConfiguration` has made. */
  take(generation: number, json: string): void {
    this.#isolate.configure(generation, json);
    if (this.#background !== undefined) {
      const { configuration } = JSON.parse(json) as { readonly configuration: GuestConfiguration };
      this.#background.configure(configuration.instances);
    }
  }

  /** Call when no request that started with the generation is left. */
  dropGeneration(generation: number): void {
    if (this.#isolate.forgetConfiguration(generation))
      this.#enqueueText(encodeFrame(HOST_FRAMES.drop, generation, ''));
  }

  /** Starts a phase. The listener hears of it in a later turn; the returned number cancels it. */
  submit(kind: LanePhase, payload: string, listener: PhaseListener): number {
    const call = new ActiveCall(this.#calls.reserve(), HOST_FRAMES[kind], payload, listener, Date.now());
    this.#calls.put(call.id, call);
    this.#enqueue(startFrame(call));
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

  /** Hands over a finished request. Nobody hears of it again. */
  submitLog(payload: string): void {
    const nowMs = Date.now();
    this.#queue.push(startFrame(new ActiveCall(LOG_CALL_ID, HOST_FRAMES.log, payload, undefined, nowMs)));
    this.#lastLogAtMs = nowMs;
    // Nobody waits for a record: it travels with the next call, or with others when there are enough or time is up.
    if (++this.#queuedLogs >= MAX_QUEUED_LOGS) this.#scheduleTurn();
    else this.#logTimer ??= setTimeout(this.#sendLogs, LOG_PAUSE_MS).unref();
  }

  /** The request is gone: the listener will not be called. */
  cancel(id: number): void {
    if (this.#calls.delete(id)) this.#enqueueText(encodeFrame(HOST_FRAMES.cancel, id, ''));
  }

  invalidate(invalidation: Invalidation): void {
    this.#enqueueText(encodeFrame(HOST_FRAMES.invalidate, 0, JSON.stringify(invalidation)));
  }

  /** Sends everything gathered so far across now. */
  flush(): void {
    if (!this.#isInTurn) this.#runTurn();
  }

  /** Queues and timers stand still while the package may not run. */
  rest(isResting: boolean): void {
    this.#background?.rest(isResting);
  }

  /** Has queues hand over what they hold. `done` is called once they have, or the time is up. */
  drain(timeoutMs: number, done: () => void): void {
    this.flush();
    if (this.#background === undefined) done();
    else this.#background.drain(timeoutMs, done);
  }

  /** Metrics since the last collection as JSON of MetricDeltas, with everything logged so far in them. */
  collectMetrics(): string | undefined {
    this.flush();
    try {
      const isolate = this.#isolate.current;
      return isolate === undefined ? undefined : String(isolate.call('collectMetrics'));
    } catch (error) {
      this.#recover(error as CrossingError, []);
      return undefined;
    }
  }

  /** Something runs in it, waits for the host, or is about to cross. */
  get isBusy(): boolean {
    return !this.#isClosed && (this.#queue.length > 0 || this.#calls.list().length > 0);
  }

  stats(): LaneStats {
    return {
      crossings: this.#crossings,
      timeouts: this.#timeouts,
      rebuilds: this.#isolate.rebuilds,
      cpuSeconds: Number(this.#isolate.cpuTimeNs) / 1e9,
      heapBytes: this.#isolate.current?.heapBytes ?? 0,
      queuedEntries: this.#background?.queued ?? 0,
      droppedEntries: this.#background?.dropped ?? 0,
    };
  }

  dispose(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#logTimer);
    this.#background?.dispose();
    this.#isolate.dispose();
  }

  #start(
    kind: string,
    payload: string,
    listener: StepListener,
    isOnce: boolean,
    isBackground: boolean,
  ): number {
    const id = this.#calls.reserve();
    const call = new ActiveCall(id, kind, payload, listener, Date.now(), isOnce, isBackground);
    this.#calls.put(id, call);
    this.#enqueue(startFrame(call));
    return id;
  }

  #enqueueText(text: string): void {
    this.#enqueue({ text, call: undefined, isStart: false });
  }

  #enqueue(frame: QueuedFrame): void {
    this.#queue.push(frame);
    if (!this.#isInTurn) this.#scheduleTurn();
  }

  readonly #sendLogs = (): void => {
    this.#logTimer = undefined;
    if (this.#queuedLogs > 0) this.#scheduleTurn();
  };

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#runScheduledTurn);
  }

  readonly #runScheduledTurn = (): void => {
    this.#isScheduled = false;
    this.#runTurn();
  };

  #runTurn(): void {
    if (this.#isClosed) return;
    this.#isInTurn = true;
    let round = 0;
    do {
      if (this.#isolate.current === undefined) this.#refuseQueued();
      else if (this.#queue.length > 0) this.#cross();
    } while (++round < MAX_ROUNDS_PER_TURN && this.#isAwaited);
    this.#isInTurn = false;
    if (this.#isAwaited) this.#scheduleTurn();
  }

  /** Something is queued that should not wait for company, as log records can. */
  get #isAwaited(): boolean {
    return this.#queue.length > this.#queuedLogs;
  }

  /** One crossing with everything queued. */
  #cross(): void {
    const given = this.#takeQueue();
    this.#crossings++;
    const isCall = given[0]?.call !== undefined;
    const sample = isCall && this.#callCrossings++ % CROSSINGS_PER_SAMPLE === 0 ? SAMPLE : '';
    this.#cpuAtCrossingNs = this.#isolate.cpuTimeNs;
    this.#given = given;
    this.#queuedEntries = 0;
    let failure: CrossingError | undefined;
    try {
      this.#isolate.current?.pump(sample + joinFrames(given), given.some(isOnce));
    } catch (error) {
      failure = error as CrossingError;
    }
    this.#given = undefined;
    this.#actOnSaid();
    if (failure === undefined && this.#tampering !== undefined)
      failure = new CrossingError('error', this.#tampering);
    if (failure !== undefined) this.#recover(failure, given);
  }

  #takeQueue(): QueuedFrame[] {
    if (this.#suspiciousUntilMs > 0) {
      const count = this.#countTogether();
      if (count < this.#queue.length) {
        const taken = this.#queue.splice(0, count);
        this.#queuedLogs = this.#queue.filter(({ call }) => call?.kind === HOST_FRAMES.log).length;
        return taken;
      }
    }
    const taken = this.#queue;
    this.#queue = [];
    this.#queuedLogs = 0;
    return taken;
  }

  /** How many of the queue may cross together: a frame for a suspect is alone, so that there is no doubt whose doing it is. */
  #countTogether(): number {
    if (Date.now() > this.#suspiciousUntilMs) {
      this.#suspiciousUntilMs = 0;
      return this.#queue.length;
    }
    const suspect = this.#queue.findIndex(
      ({ call }) => call !== undefined && (call.retries > 0 || call.isOnce),
    );
    return suspect < 0 ? this.#queue.length : Math.max(1, suspect);
  }

  /** In the midst of a crossing: performs what the guest asks for and replies; the rest is acted upon behind it. */
  #hear(text: string): string {
    const before = this.#given?.length ?? 0;
    // V8 may hold far larger texts than the limit of its heap before it looks; the worker shall not hold them too.
    if (text.length > this.#limits.memoryMb * BYTES_PER_MB) {
      this.#noteTampering('the guest said more than its memory holds');
      return '';
    }
    try {
      decodeFrames(text, 0, this.#hearFrame);
    } catch (error) {
      this.#noteTampering(String(error));
    }
    return this.#given === undefined ? '' : joinFrames(this.#given.slice(before));
  }

  readonly #hearFrame = (kind: string, id: number, payload: string): void => {
    if (kind === GUEST_FRAMES.queue) {
      if (++this.#queuedEntries > MAX_ENTRIES_PER_CROSSING) throw new RangeError('too many entries');
      this.#background?.push(payload);
      return;
    }
    if (kind !== GUEST_FRAMES.hostCall) {
      this.#said.push({ kind, id, payload });
      return;
    }
    const call = this.#calls.get(id);
    // Calls of requests that are gone would keep the guest waiting for nobody.
    if (id === 0 || call !== undefined) this.#hostCalls.perform(payload, call);
  };

  /** Replies found during a crossing are part of it. */
  #deliver(reply: QueuedFrame): void {
    if (this.#given !== undefined) this.#given.push(reply);
    else this.#enqueue(reply);
  }

  #actOnSaid(): void {
    const said = this.#said;
    if (said.length === 0) return;
    this.#said = [];
    for (const { kind, id, payload } of said) this.#act(kind, id, payload);
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
        this.#noteTampering(`unknown frame '${kind}'`);
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
      this.#noteTampering(String(error));
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
      this.#noteTampering(String(error));
    }
  }

  /** The runtime of ours does not write such things: whatever runs in this isolate cannot be trusted any more. */
  #noteTampering(detail: string): void {
    if (this.#tampering === undefined) this.#events.onIncident('protocol', detail);
    this.#tampering ??= detail;
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
      outcome = decodePhaseOutcome(kind, payload, this.#mayRetarget);
    } catch (error) {
      this.#noteTampering(String(error));
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
      this.#noteTampering(String(error));
      listener.onPhaseFailure('protocol', String(error));
    }
  }

  /**
   * A crossing was cut short. Whoever could have been running is run again alone, so that only the guilty fails;
   * what had not begun is queued again as if nothing had happened. Code that goes wrong only after a host call does
   * so when its reply crosses alone.
   */
  #recover(error: CrossingError, given: readonly QueuedFrame[]): void {
    this.#tampering = undefined;
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
    this.#suspiciousUntilMs = Date.now() + SUSPICION_MS;
    for (const suspect of suspects) {
      suspects.delete(suspect);
      const isOver = suspect.listener !== undefined && !this.#calls.has(suspect.id);
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
      this.#pumpAside('');
    } catch {
      // Then it is made again.
    }
    const last = given[begun - 1]?.call;
    this.#queue.unshift(...given.slice(begun));
    const queued = new Set(this.#queue.map(({ call }) => call));
    const suspects = new Set<ActiveCall>();
    if (last !== undefined && last.listener === undefined) suspects.add(last);
    for (const call of this.#calls.list()) if (call.waits === 0 && !queued.has(call)) suspects.add(call);
    return suspects;
  }

  /** A crossing beside the queue. Throws CrossingError. */
  #pumpAside(frames: string): void {
    this.#given = [];
    try {
      this.#isolate.current?.pump(frames);
    } finally {
      this.#given = undefined;
      this.#actOnSaid();
    }
  }

  /** Calls that the isolate has heard of. */
  #startedCalls(): ActiveCall[] {
    const unstarted = new Set(this.#queue.filter(({ isStart }) => isStart).map(({ call }) => call));
    return this.#calls.list().filter((call) => !unstarted.has(call));
  }

  /**
   * From the start and with nothing else in the isolate: what it does now is its own doing. False when the isolate
   * had to be rebuilt for it.
   */
  #retryAlone(call: ActiveCall, cause: CrossingError): boolean {
    if (this.#isolate.current === undefined) {
      this.#calls.delete(call.id);
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
      this.#pumpAside(cancel + startFrame(call).text);
      if (this.#tampering === undefined) return true;
      throw new CrossingError('error', this.#tampering);
    } catch (error) {
      const failure = error as CrossingError;
      this.#tampering = undefined;
      if (failure.kind === 'timeout') this.#countBegunFrames();
      this.#convict(call, failure);
      if (failure.kind === 'timeout') return true;
      this.#rebuild(failure);
      return false;
    }
  }

  /** It has left half of what it does behind, through whosever doing: there is nothing to go on from. */
  #giveUp(call: ActiveCall, error: CrossingError): true {
    this.#calls.delete(call.id);
    call.listener?.onPhaseFailure(reasonOf(error), error.message);
    return true;
  }

  #convict(call: ActiveCall, error: CrossingError): void {
    const reason = reasonOf(error);
    if (reason === 'timeout') this.#timeouts++;
    this.#events.onIncident(reason, error.message);
    const isOpen = this.#calls.delete(call.id);
    if (call.listener !== undefined) this.#enqueueText(encodeFrame(HOST_FRAMES.cancel, call.id, ''));
    if (isOpen) call.listener?.onPhaseFailure(reason, error.message);
  }

  /** A machine that was busy with other things is no fault of the guest's: the time limit counts wall time. */
  #burntCpu(): boolean {
    if (this.#isolate.current?.isDisposed !== false) return true;
    const burntMs = Number(this.#isolate.cpuTimeNs - this.#cpuAtCrossingNs) / 1e6;
    return burntMs > this.#limits.crossingTimeoutMs / 2;
  }

  #countBegunFrames(): number {
    try {
      return Number(this.#isolate.current?.call('resume'));
    } catch {
      return 0;
    }
  }

  #rebuild(cause: CrossingError): void {
    if (this.#isClosed) return;
    this.#tampering = undefined;
    this.#said = [];
    // Replies and cancellations are for calls of the old isolate: their numbers may come again in the new one.
    this.#queue = this.#queue.filter(({ isStart }) => isStart);
    this.#isolate.replace(cause);
    this.#cpuAtCrossingNs = this.#isolate.cpuTimeNs;
  }

  #refuseQueued(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedLogs = 0;
    for (const { call } of queue) {
      if (call === undefined || !this.#calls.delete(call.id)) continue;
      call.listener?.onPhaseFailure('unavailable', 'the plugin package cannot be loaded');
    }
  }

  #failOverdueCalls(): void {
    const { phaseDeadlineMs, backgroundDeadlineMs = BACKGROUND_DEADLINE_MS } = this.#limits;
    const nowMs = Date.now();
    // Log calls are in nobody's table: the guest sees to those that hang.
    if (this.#lastLogAtMs > nowMs - 2 * phaseDeadlineMs)
      this.#enqueueText(encodeFrame(HOST_FRAMES.expire, 0, `${phaseDeadlineMs}`));
    for (const call of this.#calls.list()) {
      const deadlineMs = call.isBackground ? backgroundDeadlineMs : phaseDeadlineMs;
      if (call.startedAtMs > nowMs - deadlineMs) continue;
      this.cancel(call.id);
      this.#events.onIncident('deadline', `no result after ${deadlineMs} ms`);
      call.listener?.onPhaseFailure('deadline', `no result after ${deadlineMs} ms`);
    }
  }
}

function isOnce({ call }: QueuedFrame): boolean {
  return call?.isOnce === true;
}

function reasonOf({ kind }: CrossingError): PhaseFailureReason {
  return kind === 'disposed' ? 'memory' : kind === 'timeout' ? 'timeout' : 'protocol';
}

/** What a guest is told with `configure`. */
export function encodeConfiguration(
  configuration: GuestConfiguration,
  { cacheEntries }: Pick<IsolateLimits, 'cacheEntries'>,
  node: NodeFacts | undefined,
): string {
  return JSON.stringify({ configuration, cacheEntries, node });
}

/** Whether some plugin of the package may send requests to another server than the service's. */
export function mayRetarget({ plugins }: PackageManifest): boolean {
  return plugins.some(({ capabilities }) => capabilities.serviceTarget === true);
}
