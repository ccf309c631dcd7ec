/**
 * The way into one package's isolate for all requests of a worker.
 *
 * Calls are gathered during a turn of the event loop and cross together: the fixed cost of a crossing and of its
 * time limit is shared by every request that arrived in that turn. Host calls that need no waiting are answered
 * within the crossing, so nearly every call is over with it; the rest are answered in a later one. Nothing here is
 * a promise.
 */
import type { BodyDirection } from '../../sdk/protocol/body-step.ts';
import { encodeFrame, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import { SlotTable } from '../../sdk/protocol/slot-table.ts';
import type { BodyListener, LanePhase, PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { ActiveCall, type CallListener } from './active-call.ts';
import { type BackgroundClock, REAL_CLOCK } from './background-clock.ts';
import { BackgroundWork } from './background-work.ts';
import type { PackageBundle } from './bundle-package.ts';
import { Conversation } from './conversation.ts';
import { CutCrossings } from './cut-crossing.ts';
import { mayRetarget } from './decode-phase-outcome.ts';
import { encodeConfiguration } from './encode-configuration.ts';
import { FrameQueue } from './frame-queue.ts';
import { GuestReports } from './guest-reports.ts';
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
const DEADLINE_SWEEP_MS = 100;
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
  readonly #bodies: PassingBodies;
  /** Undefined where no plugin does anything without a request. */
  readonly #background: BackgroundWork | undefined;
  /** Calls whose outcome somebody waits for. */
  readonly #calls = new SlotTable<ActiveCall>();
  readonly #queue = new FrameQueue(() => this.#scheduleTurn());
  readonly #reports: GuestReports;
  readonly #conversation: Conversation;
  readonly #cuts: CutCrossings;
  #isClosed = false;
  #isScheduled = false;
  #isInTurn = false;
  #lastLogAtMs = 0;
  #crossings = 0;
  /** Those that carry calls first. */
  #callCrossings = 0;

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
    // A guest may speak while it is loaded, when there is nobody yet to do what it asks for: then it is no runtime of ours.
    this.#reports = new GuestReports(this.#calls, events);
    this.#conversation = new Conversation({
      maxTextBytes: limits.memoryMb * BYTES_PER_MB,
      calls: this.#calls,
      reports: this.#reports,
      performHostCall: (payload, call) => this.#hostCalls.perform(payload, call),
      takeEntry: (payload) => this.#background?.push(payload),
      enqueue: (reply) => this.#enqueue(reply),
    });
    this.#isolate = new ReplaceableIsolate(bundle, limits, {
      onSaid: (text) => this.#conversation.hear(text),
      onReplaced: () => this.#background?.onRebuilt(),
      onUnavailable: (detail) => events.onIncident('unavailable', detail),
      onCatastrophe: (message) => events.onCatastrophe(message),
      ...(events.onEnter && { onEnter: events.onEnter }),
      ...(events.onLeave && { onLeave: events.onLeave }),
    });
    this.manifest = JSON.parse(String(this.#isolate.current?.call('describe'))) as PackageManifest;
    this.#reports.mayRetarget = mayRetarget(this.manifest);
    this.#cuts = new CutCrossings({
      crossingTimeoutMs: limits.crossingTimeoutMs,
      calls: this.#calls,
      queue: this.#queue,
      reports: this.#reports,
      isolate: this.#isolate,
      pumpAside: (frames) => this.#pumpAside(frames),
      tell: (kind, id, payload) => this.#tell(kind, id, payload),
      onIncident: (reason, detail) => events.onIncident(reason, detail),
    });
    this.#hostCalls = host.createHostCalls(this.manifest, {
      maxBodyBytes: limits.maxBodyBytes,
      currentIsolate: () => this.#isolate.current,
      deliver: (reply) => this.#conversation.reply(reply),
    });
    this.#bodies = new PassingBodies({
      start: (kind, payload, listener, isOnce) => this.#start(kind, payload, listener, isOnce, false),
      cancel: (call) => this.cancel(call),
      tell: (kind, id) => this.#tell(kind, id, ''),
    });
    this.#background = BackgroundWork.of(this.manifest, {
      clock,
      start: (kind, payload, listener) => this.#start(kind, payload, listener, false, true),
      tell: (kind, payload) => this.#tell(kind, 0, payload),
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
    if (this.#isolate.forgetConfiguration(generation)) this.#tell(HOST_FRAMES.drop, generation, '');
  }

  /** Starts a phase. The listener hears of it in a later turn; the returned number cancels it. */
  submit(kind: LanePhase, payload: string, listener: PhaseListener): number {
    return this.#start(HOST_FRAMES[kind], payload, listener, false, false);
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
    this.#lastLogAtMs = nowMs;
    this.#queue.pushLog(startFrame(new ActiveCall(LOG_CALL_ID, HOST_FRAMES.log, payload, undefined, nowMs)));
  }

  /** The request is gone: the listener will not be called. */
  cancel(id: number): void {
    if (this.#calls.delete(id)) this.#tell(HOST_FRAMES.cancel, id, '');
  }

  invalidate(invalidation: Invalidation): void {
    this.#tell(HOST_FRAMES.invalidate, 0, JSON.stringify(invalidation));
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
      this.#cuts.recover(error as CrossingError, []);
      return undefined;
    }
  }

  /** Something runs in it, waits for the host, or is about to cross. */
  get isBusy(): boolean {
    return !this.#isClosed && (!this.#queue.isEmpty || this.#calls.list().length > 0);
  }

  stats(): LaneStats {
    return {
      crossings: this.#crossings,
      timeouts: this.#cuts.timeouts,
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
    this.#queue.dispose();
    this.#background?.dispose();
    this.#isolate.dispose();
  }

  #start(
    kind: string,
    payload: string,
    listener: CallListener,
    isOnce: boolean,
    isBackground: boolean,
  ): number {
    const id = this.#calls.reserve();
    const call = new ActiveCall(id, kind, payload, listener, Date.now(), isOnce, isBackground);
    this.#calls.put(id, call);
    this.#enqueue(startFrame(call));
    return id;
  }

  /** A frame that is no call. */
  #tell(kind: string, id: number, payload: string): void {
    this.#enqueue({ text: encodeFrame(kind, id, payload), call: undefined, isStart: false });
  }

  #enqueue(frame: QueuedFrame): void {
    this.#queue.push(frame);
    if (!this.#isInTurn) this.#scheduleTurn();
  }

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
      else if (!this.#queue.isEmpty) this.#cross();
    } while (++round < MAX_ROUNDS_PER_TURN && this.#queue.isAwaited);
    this.#isInTurn = false;
    if (this.#queue.isAwaited) this.#scheduleTurn();
  }

  /** One crossing with everything queued. */
  #cross(): void {
    const given = this.#queue.take();
    this.#crossings++;
    const isCall = given[0]?.call !== undefined;
    const sample = isCall && this.#callCrossings++ % CROSSINGS_PER_SAMPLE === 0 ? SAMPLE : '';
    this.#cuts.noteCrossing();
    this.#conversation.begin(given);
    let failure: CrossingError | undefined;
    try {
      this.#isolate.current?.pump(sample + joinFrames(given), given.some(isOnce));
    } catch (error) {
      failure = error as CrossingError;
    }
    this.#conversation.end();
    const { tampering } = this.#reports;
    if (failure === undefined && tampering !== undefined) failure = new CrossingError('error', tampering);
    if (failure !== undefined) this.#cuts.recover(failure, given);
  }

  /** A crossing beside the queue. Throws CrossingError. */
  #pumpAside(frames: string): void {
    this.#conversation.begin([]);
    try {
      this.#isolate.current?.pump(frames);
    } finally {
      this.#conversation.end();
    }
  }

  #refuseQueued(): void {
    for (const { call } of this.#queue.takeAll()) {
      if (call === undefined || !this.#calls.delete(call.id)) continue;
      call.listener?.onPhaseFailure('unavailable', 'the plugin package cannot be loaded');
    }
  }

  #failOverdueCalls(): void {
    const { phaseDeadlineMs, backgroundDeadlineMs = BACKGROUND_DEADLINE_MS } = this.#limits;
    const nowMs = Date.now();
    // Log calls are in nobody's table: the guest sees to those that hang.
    if (this.#lastLogAtMs > nowMs - 2 * phaseDeadlineMs)
      this.#tell(HOST_FRAMES.expire, 0, `${phaseDeadlineMs}`);
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
