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
import type { PhaseLane, PhaseListener } from '../pipeline/phase-lane.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { ActiveCall } from './active-call.ts';
import type { PackageBundle } from './bundle-package.ts';
import { CallTable } from './call-table.ts';
import { decodePhaseOutcome } from './decode-phase-outcome.ts';
import { type HostServices, type PermittedCalls, performHostCall, permittedBy } from './host-calls.ts';
import { type IsolateLimits, MAX_HOST_CALLS_PER_PHASE } from './isolate-limits.ts';
import { type CrossingError, PluginIsolate } from './plugin-isolate.ts';

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
/** After failing to load, an isolate is tried again this much later. */
const RELOAD_PAUSE_MS = 1000;

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
  readonly #calls = new CallTable();
  readonly #sweep: NodeJS.Timeout;
  #isolate: PluginIsolate | undefined;
  #frames: string[] = [];
  /** The call of each frame; undefined for frames that belong to none. */
  #frameCalls: (ActiveCall | undefined)[] = [];
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
    try {
      this.#isolate?.call('drop', generation);
    } catch {
      // A rebuilt isolate never hears of the generation.
    }
  }

  /** Starts a phase. The listener hears of it in a later turn; the returned number cancels it. */
  submit(kind: 'access' | 'response', payload: string, listener: PhaseListener): number {
    const call = new ActiveCall(this.#calls.reserve(), HOST_FRAMES[kind], payload, listener, Date.now());
    this.#calls.add(call);
    this.#enqueueCall(call);
    return call.id;
  }

  /** Hands over a finished request. Nobody hears of it again. */
  submitLog(payload: string): void {
    const call = new ActiveCall(LOG_CALL_ID, HOST_FRAMES.log, payload, undefined, 0);
    this.#frames.push(encodeFrame(call.kind, call.id, payload));
    this.#frameCalls.push(call);
    // Nobody waits for a record: it travels with the next call, or with others when there are enough or time is up.
    if (++this.#queuedLogs >= MAX_QUEUED_LOGS) this.#scheduleTurn();
    else this.#logTimer ??= setTimeout(this.#sendLogs, LOG_PAUSE_MS).unref();
  }

  /** The request is gone: the listener will not be called. */
  cancel(id: number): void {
    if (this.#calls.delete(id)) this.#enqueue(encodeFrame(HOST_FRAMES.cancel, id, ''), undefined);
  }

  invalidate(invalidation: Invalidation): void {
    this.#enqueue(encodeFrame(HOST_FRAMES.invalidate, 0, JSON.stringify(invalidation)), undefined);
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
    clearInterval(this.#sweep);
    clearTimeout(this.#logTimer);
    this.#isolate?.dispose();
  }

  #enqueueCall(call: ActiveCall): void {
    this.#enqueue(encodeFrame(call.kind, call.id, call.payload), call);
  }

  #enqueue(frame: string, call: ActiveCall | undefined): void {
    this.#frames.push(frame);
    this.#frameCalls.push(call);
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
    if (this.#isolate === undefined) {
      this.#refuseQueued();
      return;
    }
    this.#isFlushing = true;
    this.#cpuAtTurnNs = this.#isolate.cpuTimeNs;
    let idleRounds = 0;
    for (let round = 0; round < MAX_ROUNDS_PER_TURN; round++) {
      if (this.#frames.length === 0 && this.#motion === 0) break;
      const made = this.#cross();
      idleRounds = made ? 0 : idleRounds + 1;
      if (idleRounds >= MAX_IDLE_ROUNDS) break;
    }
    this.#isFlushing = false;
    if (this.#frames.length > 0) this.#scheduleTurn();
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
    const input = this.#frames.length === 1 ? (this.#frames[0] as string) : this.#frames.join('');
    const calls = this.#frameCalls;
    this.#frames = [];
    this.#frameCalls = [];
    this.#queuedLogs = 0;
    this.#stats.crossings++;
    let output: string;
    try {
      output = (this.#isolate as PluginIsolate).pump(input);
    } catch (error) {
      this.#recover(error as CrossingError, calls);
      return true;
    }
    return this.#receive(output) || calls.length > 0;
  }

  /** Acts on what the guest said. False when it said nothing. */
  #receive(output: string): boolean {
    const lineEnd = output.indexOf('\n');
    this.#motion = Number(output.slice(0, lineEnd));
    if (lineEnd + 1 >= output.length) return false;
    try {
      decodeFrames(output, lineEnd + 1, this.#receiveFrame);
    } catch (error) {
      this.#events.onIncident('protocol', String(error));
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
        this.#events.onLogLines(JSON.parse(payload) as readonly LogLine[]);
        break;
      default:
        throw new RangeError(`unknown frame '${kind}'`);
    }
  };

  #finish(kind: string, id: number, payload: string): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    let outcome: ReturnType<typeof decodePhaseOutcome>;
    try {
      outcome = decodePhaseOutcome(kind, payload);
    } catch (error) {
      this.#events.onIncident('protocol', String(error));
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
      if (call !== undefined && ++call.hostCalls > MAX_HOST_CALLS_PER_PHASE)
        throw new Error('too many host calls');
      const reply = performHostCall(name, decodeValue(payload.slice(number.length + name.length + 2)), {
        services: this.#services,
        caller: call?.listener,
        permitted: this.#permitted,
        maxBodyBytes: this.#limits.maxBodyBytes,
      });
      if (reply instanceof Promise) this.#replyLater(reply, number, call);
      else this.#reply(number, reply);
    } catch (error) {
      this.#refuse(number, error);
    }
  }

  #replyLater(reply: Promise<unknown>, number: string, call: ActiveCall | undefined): void {
    if (call !== undefined) call.waits++;
    const isolate = this.#isolate;
    const settle = (deliver: () => void) => {
      if (call !== undefined) call.waits--;
      // A rebuilt isolate has not asked for anything.
      if (this.#isolate === isolate) deliver();
    };
    reply.then(
      (value) => settle(() => this.#reply(number, value)),
      (error: unknown) => settle(() => this.#refuse(number, error)),
    );
  }

  #reply(number: string, value: unknown): void {
    this.#enqueue(encodeFrame(HOST_FRAMES.reply, 0, `${number}\n${encodeValue(value)}`), undefined);
  }

  #refuse(number: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#enqueue(encodeFrame(HOST_FRAMES.failure, 0, `${number}\n${message}`), undefined);
  }

  /**
   * A crossing was cut short. Whoever could have been running is run again alone, so that only the guilty fails;
   * what had not begun is queued again as if nothing had happened.
   */
  #recover(error: CrossingError, sent: readonly (ActiveCall | undefined)[]): void {
    const wasBusy = this.#burntCpu();
    const suspects =
      error.kind === 'disposed' ? this.#suspectEverybody(error, sent) : this.#suspectTheRunning(sent);
    const [only] = suspects;
    if (suspects.size === 1 && wasBusy && only !== undefined) this.#convict(only, error);
    else for (const suspect of suspects) this.#retryAlone(suspect);
  }

  /** The isolate is gone, and with it the state of every call. */
  #suspectEverybody(error: CrossingError, sent: readonly (ActiveCall | undefined)[]): Set<ActiveCall> {
    const suspects = new Set(this.#calls.list());
    for (const call of sent) if (call?.listener === undefined && call !== undefined) suspects.add(call);
    this.#rebuild(error);
    return suspects;
  }

  #suspectTheRunning(sent: readonly (ActiveCall | undefined)[]): Set<ActiveCall> {
    const begun = this.#countBegunFrames();
    // Results made before the crossing was cut short are still waiting to be fetched.
    try {
      this.#receive((this.#isolate as PluginIsolate).pump(''));
    } catch {
      // Then they are made again.
    }
    const suspects = new Set<ActiveCall>();
    const last = sent[begun - 1];
    if (last !== undefined && last.listener === undefined) suspects.add(last);
    const notBegun = sent.slice(begun).filter((call) => call !== undefined);
    for (const call of this.#calls.list())
      if (call.waits === 0 && !notBegun.includes(call)) suspects.add(call);
    for (const call of notBegun) this.#enqueueCall(call);
    return suspects;
  }

  /** From the start and with nothing else in the isolate: what it does now is its own doing. */
  #retryAlone(call: ActiveCall): void {
    if (this.#isolate === undefined) {
      call.listener?.onPhaseFailure('unavailable', 'the isolate could not be rebuilt');
      this.#calls.delete(call.id);
      return;
    }
    try {
      const cancel = call.listener === undefined ? '' : encodeFrame(HOST_FRAMES.cancel, call.id, '');
      this.#receive(this.#isolate.pump(cancel + encodeFrame(call.kind, call.id, call.payload)));
      for (let round = 0; round < MAX_IDLE_ROUNDS && this.#motion > 0; round++)
        this.#receive(this.#isolate.pump(''));
    } catch (error) {
      this.#convict(call, error as CrossingError);
      if ((error as CrossingError).kind === 'disposed') this.#rebuild(error as CrossingError);
    }
  }

  #convict(call: ActiveCall, error: CrossingError): void {
    const reason = error.kind === 'disposed' ? 'memory' : error.kind === 'timeout' ? 'timeout' : 'protocol';
    if (reason === 'timeout') this.#stats.timeouts++;
    this.#events.onIncident(reason, error.message);
    this.cancel(call.id);
    call.listener?.onPhaseFailure(reason, error.message);
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
    this.#stats.rebuilds++;
    this.#motion = 0;
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
    this.#frames = [];
    for (const call of this.#frameCalls) {
      if (call === undefined || !this.#calls.delete(call.id)) continue;
      call.listener?.onPhaseFailure('unavailable', 'the plugin package cannot be loaded');
    }
    this.#frameCalls = [];
  }

  #failOverdueCalls(): void {
    const startedBeforeMs = Date.now() - this.#limits.phaseDeadlineMs;
    for (const call of this.#calls.list()) {
      if (call.startedAtMs > startedBeforeMs) continue;
      this.cancel(call.id);
      this.#events.onIncident('deadline', `no result after ${this.#limits.phaseDeadlineMs} ms`);
      call.listener?.onPhaseFailure('deadline', `no result after ${this.#limits.phaseDeadlineMs} ms`);
    }
  }
}
