/**
 * The way into one package's isolate for all requests of a worker.
 *
 * Calls are gathered during a turn of the event loop and cross together: the fixed cost of a crossing and of its
 * time limit is shared by every request that arrived in that turn. Host calls come back the same way, so code that
 * awaits them costs a few more crossings a turn, not a few more a request. Nothing here is a promise.
 */
import { decodeFrames, encodeFrame, GUEST_FRAMES, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import { decodeValue, encodeValue, type Invalidation } from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import { SlotTable } from '../../sdk/protocol/slot-table.ts';
import { decodeTraceReport } from '../../sdk/protocol/trace.ts';
import type { PhaseLane, PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { ActiveCall } from './active-call.ts';
import type { PackageBundle } from './bundle-package.ts';
import { decodePhaseOutcome } from './decode-phase-outcome.ts';
import { type HostServices, type PermittedCalls, performHostCall, permittedBy } from './host-calls.ts';
import { type IsolateLimits, MAX_HOST_CALLS_PER_PHASE } from './isolate-limits.ts';
import { CrossingError, PluginIsolate } from './plugin-isolate.ts';

/** Crossings in one turn of the event loop before other work gets a chance. */
const MAX_ROUNDS_PER_TURN = 64;
/** Empty-handed rounds after which calls that claim to run are left until something happens. */
const MAX_IDLE_ROUNDS = 3;
const IDLE_PAUSE_MS = 2;
/** Log records have no number of their own: nothing comes back for them. */
const LOG_CALL_ID = 0;
const MAX_QUEUED_LOGS = 128;
const LOG_PAUSE_MS = 10;
const DEADLINE_SWEEP_MS = 100;
/** How long frames cross one by one after a crossing was cut short without anybody being convicted. */
const CAREFUL_MS = 1000;
/** How often a call may be run again because others died around it. */
const MAX_RETRIES = 4;
/** Lookups of rows under way at once. They belong to no single request, whose own limit would hold them. */
const MAX_SHARED_HOST_CALLS = 10_000;
/** After failing to load, an isolate is tried again this much later. */
const RELOAD_PAUSE_MS = 1000;

/** Something for the guest. */
interface QueuedFrame {
  readonly text: string;
  /** Whom the guest runs on receiving it; undefined where that is nobody or anybody. */
  readonly call: ActiveCall | undefined;
  /** It starts the call, so it can be sent again, to another isolate too. */
  readonly isStart: boolean;
}

export interface LaneEvents {
  onLogLines(lines: readonly LogLine[]): void;
  /** A limit was hit; the isolate may have been replaced. */
  onIncident(reason: PhaseFailureReason, detail: string): void;
  /** V8 gave up: the process should be replaced soon. */
  onCatastrophe(message: string): void;
}

export interface LaneStats {
  readonly crossings: number;
  readonly timeouts: number;
  readonly rebuilds: number;
  readonly cpuSeconds: number;
  readonly heapBytes: number;
}

export class IsolateLane implements PhaseLane {
  readonly manifest: PackageManifest;
  readonly #bundle: PackageBundle;
  readonly #limits: IsolateLimits;
  readonly #services: HostServices;
  readonly #events: LaneEvents;
  readonly #permitted: PermittedCalls;
  readonly #generations = new Map<number, string>();
  /** Calls whose outcome somebody waits for. */
  readonly #calls = new SlotTable<ActiveCall>();
  readonly #sweep: NodeJS.Timeout;
  #isolate: PluginIsolate | undefined;
  #queue: QueuedFrame[] = [];
  /** Until then frames cross one by one, so that there is no doubt whose doing a cut crossing is. */
  #carefulUntilMs = 0;
  /** What made it plain that the guest's runtime has been tampered with. */
  #tampering: string | undefined;
  #sharedHostCalls = 0;
  #isClosed = false;
  #motion = 0;
  #isScheduled = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #queuedLogs = 0;
  #logTimer: NodeJS.Timeout | undefined;
  #isFlushing = false;
  #cpuAtTurnNs = 0n;
  #spentCpuNs = 0n;
  #stats = { crossings: 0, timeouts: 0, rebuilds: 0 };

  /** Throws CrossingError when the bundle does not load, TypeError when it speaks another protocol. */
  constructor(bundle: PackageBundle, limits: IsolateLimits, services: HostServices, events: LaneEvents) {
    this.#bundle = bundle;
    this.#limits = limits;
    this.#services = services;
    this.#events = events;
    this.#isolate = this.#createIsolate();
    this.manifest = JSON.parse(String(this.#isolate.call('describe'))) as PackageManifest;
    this.#permitted = permittedBy(this.manifest);
    this.#sweep = setInterval(() => this.#failOverdueCalls(), DEADLINE_SWEEP_MS).unref();
  }

  /** Hands a generation of configuration to the guest. Throws CrossingError when it cannot take it. */
  configure(configuration: GuestConfiguration): void {
    const json = JSON.stringify({ configuration, cacheEntries: this.#limits.cacheEntries });
    this.#isolate?.call('configure', json);
    this.#generations.set(configuration.generation, json);
  }

  /** Call when no request that started with the generation is left. */
  dropGeneration(generation: number): void {
    if (!this.#generations.delete(generation)) return;
    this.#enqueue(encodeFrame(HOST_FRAMES.drop, generation, ''), undefined);
  }

  /** Starts a phase. The listener hears of it in a later turn; the returned number cancels it. */
  submit(kind: 'access' | 'response', payload: string, listener: PhaseListener): number {
    const call = new ActiveCall(this.#calls.reserve(), HOST_FRAMES[kind], payload, listener, Date.now());
    this.#calls.put(call.id, call);
    this.#enqueueCall(call);
    return call.id;
  }

  /** Hands over a finished request. Nobody hears of it again. */
  submitLog(payload: string): void {
    const call = new ActiveCall(LOG_CALL_ID, HOST_FRAMES.log, payload, undefined, 0);
    this.#queue.push({ text: encodeFrame(call.kind, call.id, payload), call, isStart: true });
    // Nobody waits for a record: it travels with the next call, or with others when there are enough or time is up.
    if (++this.#queuedLogs >= MAX_QUEUED_LOGS) this.#scheduleTurn();
    else this.#logTimer ??= setTimeout(this.#sendLogs, LOG_PAUSE_MS).unref();
  }

  /** The request is gone: the listener will not be called. */
  cancel(id: number): void {
    if (this.#calls.delete(id)) this.#enqueue(encodeFrame(HOST_FRAMES.cancel, id, ''));
  }

  invalidate(invalidation: Invalidation): void {
    this.#enqueue(encodeFrame(HOST_FRAMES.invalidate, 0, JSON.stringify(invalidation)));
  }

  /** Sends everything gathered so far across now. */
  flush(): void {
    if (!this.#isFlushing) this.#runTurn();
  }

  /** Metrics since the last collection as JSON of MetricDeltas, with everything logged so far in them. */
  collectMetrics(): string | undefined {
    this.flush();
    try {
      return this.#isolate === undefined ? undefined : String(this.#isolate.call('collectMetrics'));
    } catch (error) {
      this.#recover(error as CrossingError, []);
      return undefined;
    }
  }

  stats(): LaneStats {
    const cpuNs = this.#spentCpuNs + (this.#isolate?.cpuTimeNs ?? 0n);
    return { ...this.#stats, cpuSeconds: Number(cpuNs) / 1e9, heapBytes: this.#isolate?.heapBytes ?? 0 };
  }

  dispose(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#logTimer);
    this.#isolate?.dispose();
  }

  #enqueueCall(call: ActiveCall): void {
    this.#enqueue(encodeFrame(call.kind, call.id, call.payload), call, true);
  }

  #enqueue(text: string, call?: ActiveCall, isStart = false): void {
    this.#queue.push({ text, call, isStart });
    if (!this.#isFlushing) this.#scheduleTurn();
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
    if (this.#isolate === undefined) {
      this.#refuseQueued();
      return;
    }
    this.#isFlushing = true;
    this.#cpuAtTurnNs = this.#isolate.cpuTimeNs;
    let idleRounds = 0;
    for (let round = 0; round < MAX_ROUNDS_PER_TURN; round++) {
      if (this.#isolate === undefined || (this.#queue.length === 0 && this.#motion === 0)) break;
      const made = this.#cross();
      idleRounds = made ? 0 : idleRounds + 1;
      if (idleRounds >= MAX_IDLE_ROUNDS) break;
    }
    this.#isFlushing = false;
    if (this.#queue.length > 0) this.#scheduleTurn();
    else if (this.#motion > 0) this.#lookAgainLater();
  }

  /** Calls that neither end nor wait for the host are looked at from time to time, until their deadline. */
  #lookAgainLater(): void {
    this.#idleTimer ??= setTimeout(() => {
      this.#idleTimer = undefined;
      this.#scheduleTurn();
    }, IDLE_PAUSE_MS).unref();
  }

  /** One crossing with everything queued. False when nothing went in and nothing came out. */
  #cross(): boolean {
    const sent = this.#takeQueue();
    this.#stats.crossings++;
    let output: string;
    try {
      output = (this.#isolate as PluginIsolate).pump(joinFrames(sent));
    } catch (error) {
      this.#recover(error as CrossingError, sent);
      return true;
    }
    const said = this.#receive(output);
    if (this.#tampering !== undefined) this.#recover(new CrossingError('error', this.#tampering), sent);
    return said || sent.length > 0;
  }

  #takeQueue(): readonly QueuedFrame[] {
    if (this.#carefulUntilMs > 0) {
      if (Date.now() < this.#carefulUntilMs) {
        this.#cpuAtTurnNs = (this.#isolate as PluginIsolate).cpuTimeNs;
        return this.#queue.splice(0, 1);
      }
      this.#carefulUntilMs = 0;
    }
    const taken = this.#queue;
    this.#queue = [];
    this.#queuedLogs = 0;
    return taken;
  }

  /** Acts on what the guest said. False when it said nothing. */
  #receive(output: string): boolean {
    const lineEnd = output.indexOf('\n');
    this.#motion = Number(output.slice(0, lineEnd)) || 0;
    if (lineEnd + 1 >= output.length) return false;
    try {
      decodeFrames(output, lineEnd + 1, this.#receiveFrame);
    } catch (error) {
      this.#noteTampering(String(error));
    }
    return true;
  }

  readonly #receiveFrame = (kind: string, id: number, payload: string): void => {
    switch (kind) {
      case GUEST_FRAMES.proceed:
      case GUEST_FRAMES.exit:
      case GUEST_FRAMES.error:
        this.#finish(kind, id, payload);
        break;
      case GUEST_FRAMES.hostCall:
        this.#performHostCall(id, payload);
        break;
      case GUEST_FRAMES.logLines:
        this.#receiveLogLines(payload);
        break;
      case GUEST_FRAMES.trace:
        this.#receiveTrace(id, payload);
        break;
      default:
        this.#noteTampering(`unknown frame '${kind}'`);
    }
  };

  #receiveLogLines(payload: string): void {
    let lines: readonly LogLine[];
    try {
      lines = decodeLogLines(payload);
    } catch (error) {
      this.#noteTampering(String(error));
      return;
    }
    this.#events.onLogLines(lines);
  }

  #receiveTrace(id: number, payload: string): void {
    try {
      this.#calls.get(id)?.listener?.onPhaseTrace?.(decodeTraceReport(payload));
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
    let outcome: ReturnType<typeof decodePhaseOutcome>;
    try {
      outcome = decodePhaseOutcome(kind, payload);
    } catch (error) {
      this.#noteTampering(String(error));
      call.listener?.onPhaseFailure('protocol', String(error));
      return;
    }
    // What the gateway does with a result must neither end the turn of other requests nor leave this one unanswered.
    try {
      call.listener?.onPhaseOutcome(outcome);
    } catch (error) {
      this.#events.onIncident(
        'protocol',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
      call.listener?.onPhaseFailure('protocol', String(error));
    }
  }

  #performHostCall(callId: number, payload: string): void {
    const [number = '', name = ''] = payload.split('\n', 2);
    const call = this.#calls.get(callId);
    // Calls of requests that are gone would keep the guest waiting for nobody.
    if (callId !== 0 && call === undefined) return;
    try {
      const isTooMany =
        call === undefined
          ? this.#sharedHostCalls >= MAX_SHARED_HOST_CALLS
          : ++call.hostCalls > MAX_HOST_CALLS_PER_PHASE;
      if (isTooMany) throw new Error('too many host calls');
      const reply = performHostCall(name, decodeValue(payload.slice(number.length + name.length + 2)), {
        services: this.#services,
        caller: call?.listener,
        permitted: this.#permitted,
        maxBodyBytes: this.#limits.maxBodyBytes,
      });
      if (reply instanceof Promise) this.#replyLater(reply, number, call);
      else this.#reply(number, reply, call);
    } catch (error) {
      this.#refuse(number, error, call);
    }
  }

  #replyLater(reply: Promise<unknown>, number: string, call: ActiveCall | undefined): void {
    if (call !== undefined) call.waits++;
    else this.#sharedHostCalls++;
    const isolate = this.#isolate;
    const settle = (deliver: () => void) => {
      if (call === undefined) this.#sharedHostCalls--;
      // A rebuilt isolate has not asked for anything, and nobody in it waits.
      if (this.#isolate !== isolate) return;
      if (call !== undefined) call.waits--;
      deliver();
    };
    reply.then(
      (value) => settle(() => this.#reply(number, value, call)),
      (error: unknown) => settle(() => this.#refuse(number, error, call)),
    );
  }

  #reply(number: string, value: unknown, call: ActiveCall | undefined): void {
    this.#enqueue(encodeFrame(HOST_FRAMES.reply, 0, `${number}\n${encodeValue(value)}`), call);
  }

  #refuse(number: string, error: unknown, call: ActiveCall | undefined): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#enqueue(encodeFrame(HOST_FRAMES.failure, 0, `${number}\n${message}`), call);
  }

  /**
   * A crossing was cut short. Whoever could have been running is run again alone, so that only the guilty fails;
   * what had not begun is queued again as if nothing had happened. Code that goes wrong only after a host call does
   * so when its reply crosses alone.
   */
  #recover(error: CrossingError, sent: readonly QueuedFrame[]): void {
    this.#tampering = undefined;
    const wasBusy = this.#burntCpu();
    const suspects =
      error.kind === 'timeout' ? this.#suspectTheRunning(sent) : this.#suspectEverybody(error, sent);
    const only = sent.length === 1 ? sent[0]?.call : undefined;
    // Once may be the machine's doing: a virtual one can stand still and have that counted as its threads' CPU time.
    const isProven = (only?.retries ?? 0) > 0 && (wasBusy || error.kind !== 'timeout');
    if (only !== undefined && isProven) {
      this.#convict(only, error);
      if (error.kind === 'timeout') return;
    } else if (wasBusy || error.kind !== 'timeout') this.#carefulUntilMs = Date.now() + CAREFUL_MS;
    for (const suspect of suspects) {
      suspects.delete(suspect);
      const isOver = suspect.listener !== undefined && !this.#calls.has(suspect.id);
      if (isOver || (suspect === only && isProven) || this.#retryAlone(suspect, error)) continue;
      // The isolate died of it, and with it everything that others had done in it.
      for (const call of this.#startedCalls()) suspects.add(call);
    }
  }

  /** The isolate is gone or cannot be trusted, and with it the state of every call. */
  #suspectEverybody(error: CrossingError, sent: readonly QueuedFrame[]): Set<ActiveCall> {
    this.#rebuild(error);
    const suspects = new Set(this.#startedCalls());
    for (const { call } of sent) if (call !== undefined && call.listener === undefined) suspects.add(call);
    return suspects;
  }

  #suspectTheRunning(sent: readonly QueuedFrame[]): Set<ActiveCall> {
    const begun = this.#countBegunFrames();
    // Results made before the crossing was cut short are still waiting to be fetched.
    try {
      this.#receive((this.#isolate as PluginIsolate).pump(''));
    } catch {
      // Then they are made again.
    }
    const last = sent[begun - 1]?.call;
    this.#queue.unshift(...sent.slice(begun));
    const queued = new Set(this.#queue.map(({ call }) => call));
    const suspects = new Set<ActiveCall>();
    if (last !== undefined && last.listener === undefined) suspects.add(last);
    for (const call of this.#calls.list()) if (call.waits === 0 && !queued.has(call)) suspects.add(call);
    return suspects;
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
    if (this.#isolate === undefined) {
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
      this.#receive(this.#isolate.pump(cancel + encodeFrame(call.kind, call.id, call.payload)));
      for (let round = 0; round < MAX_IDLE_ROUNDS && this.#motion > 0; round++)
        this.#receive(this.#isolate.pump(''));
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

  #convict(call: ActiveCall, error: CrossingError): void {
    const reason = error.kind === 'disposed' ? 'memory' : error.kind === 'timeout' ? 'timeout' : 'protocol';
    if (reason === 'timeout') this.#stats.timeouts++;
    this.#events.onIncident(reason, error.message);
    const isOpen = this.#calls.delete(call.id);
    if (call.listener !== undefined) this.#enqueue(encodeFrame(HOST_FRAMES.cancel, call.id, ''));
    if (isOpen) call.listener?.onPhaseFailure(reason, error.message);
  }

  /** A machine that was busy with other things is no fault of the guest's: the time limit counts wall time. */
  #burntCpu(): boolean {
    if (this.#isolate === undefined || this.#isolate.isDisposed) return true;
    const burntMs = Number(this.#isolate.cpuTimeNs - this.#cpuAtTurnNs) / 1e6;
    return burntMs > this.#limits.crossingTimeoutMs / 2;
  }

  #countBegunFrames(): number {
    try {
      return Number(this.#isolate?.call('resume'));
    } catch {
      return 0;
    }
  }

  #createIsolate(): PluginIsolate {
    const isolate = new PluginIsolate(this.#bundle, this.#limits, this.#events.onCatastrophe);
    for (const json of this.#generations.values()) isolate.call('configure', json);
    return isolate;
  }

  #rebuild(cause: CrossingError): void {
    if (this.#isClosed) return;
    this.#stats.rebuilds++;
    this.#motion = 0;
    this.#tampering = undefined;
    // Replies and cancellations are for calls of the old isolate: their numbers may come again in the new one.
    this.#queue = this.#queue.filter(({ isStart }) => isStart);
    this.#spentCpuNs += this.#isolate?.cpuTimeNs ?? 0n;
    this.#isolate?.dispose();
    try {
      this.#isolate = this.#createIsolate();
      this.#cpuAtTurnNs = this.#isolate.cpuTimeNs;
    } catch (error) {
      this.#isolate = undefined;
      this.#events.onIncident('unavailable', `${cause.message}; then ${String(error)}`);
      setTimeout(() => this.#rebuild(cause), RELOAD_PAUSE_MS).unref();
    }
  }

  #refuseQueued(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { call } of queue) {
      if (call === undefined || !this.#calls.delete(call.id)) continue;
      call.listener?.onPhaseFailure('unavailable', 'the plugin package cannot be loaded');
    }
  }

  #failOverdueCalls(): void {
    const startedBeforeMs = Date.now() - this.#limits.phaseDeadlineMs;
    if (this.#motion > 0)
      this.#enqueue(encodeFrame(HOST_FRAMES.expire, 0, `${this.#limits.phaseDeadlineMs}`));
    for (const call of this.#calls.list()) {
      if (call.startedAtMs > startedBeforeMs) continue;
      this.cancel(call.id);
      this.#events.onIncident('deadline', `no result after ${this.#limits.phaseDeadlineMs} ms`);
      call.listener?.onPhaseFailure('deadline', `no result after ${this.#limits.phaseDeadlineMs} ms`);
    }
  }
}

function joinFrames(frames: readonly QueuedFrame[]): string {
  let text = '';
  for (const frame of frames) text += frame.text;
  return text;
}

/** Throws on anything but a list of lines of text. */
function decodeLogLines(payload: string): readonly LogLine[] {
  const lines = JSON.parse(payload) as readonly LogLine[];
  const isWellFormed =
    Array.isArray(lines) &&
    lines.every(
      (line: LogLine | null) =>
        typeof line?.message === 'string' &&
        typeof line.level === 'string' &&
        typeof line.plugin === 'string' &&
        typeof line.requestId === 'string',
    );
  if (!isWellFormed) throw new RangeError('malformed log lines');
  return lines;
}
