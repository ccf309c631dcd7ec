/** The process of a package, its successor when it ends, and what outlives it: configurations, and what was used. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import type { LaneStats } from '../sandbox/package-lane.ts';
import { PackageProcess } from './package-process.ts';
import { ProcessTally } from './process-tally.ts';
import { ProcessWatch } from './process-watch.ts';
import { PROCESS_FRAMES, type ProcessBoot, WORKER_FRAMES } from './wire.ts';

/** A process that ends is followed by another at once; when that one does not last, later, and then twice as late. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 60_000;
/** One that has lasted so long starts anew with the first pause. */
const LASTING_MS = 10_000;
/** On top of what a bundle may take to load: a process has to start for it. */
const START_ALLOWANCE_MS = 10_000;
const BYTES_PER_MB = 1024 * 1024;
/** V8 may overrun the limit of a heap threefold before it acts, and what crosses is held outside of it. */
const HEAP_ALLOWANCE = 4;
const ALLOWANCE_MB = 64;

export interface ProcessOwner {
  onFrame(kind: string, id: number, payload: string): void;
  /** A process has loaded the package and has all configurations on its way. */
  onOpen(): void;
  /** It has ended; another will be opened. */
  onEnded(reason: PhaseFailureReason, detail: string): void;
  /** A successor cannot be loaded; it is tried again. */
  onUnavailable(detail: string): void;
}

export class ReplaceableProcess {
  /** Rejects when the first process does not load the package. */
  readonly ready: Promise<void>;
  readonly #boot: ProcessBoot;
  readonly #manifest: string;
  readonly #owner: ProcessOwner;
  readonly #tally = new ProcessTally();
  /** By generation: a successor is told them again. */
  readonly #configurations = new Map<number, string>();
  #process: PackageProcess | undefined;
  #watch: ProcessWatch | undefined;
  #isOpen = false;
  #openedAtMs = 0;
  #verdict: { readonly reason: PhaseFailureReason; readonly detail: string } | undefined;
  #pauseMs = 0;
  #startTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(boot: ProcessBoot, manifest: PackageManifest, owner: ProcessOwner) {
    this.#boot = boot;
    this.#manifest = JSON.stringify(manifest);
    this.#owner = owner;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever does not wait for it hears of it when calls fail.
    this.ready.catch(() => {});
    this.#start();
  }

  /** Undefined while there is none that has loaded the package. */
  get current(): PackageProcess | undefined {
    return this.#isOpen ? this.#process : undefined;
  }

  configure(generation: number, json: string): void {
    this.#configurations.set(generation, json);
    if (this.#isOpen) this.#process?.write(WORKER_FRAMES.configure, generation, json);
  }

  /** False when it was not known. */
  forgetConfiguration(generation: number): boolean {
    return this.#configurations.delete(generation);
  }

  /** Call from time to time while it has something to do. */
  look(nowMs: number): void {
    const verdict = this.#watch?.look(nowMs);
    if (verdict !== undefined) this.kill(verdict.reason, verdict.detail);
  }

  kill(reason: PhaseFailureReason, detail: string): void {
    this.#verdict ??= { reason, detail };
    this.#tally.noteUsage(this.#process?.usage());
    this.#process?.kill(detail);
  }

  noteStats(stats: Partial<Record<keyof LaneStats, unknown>>): void {
    this.#tally.noteStats(stats);
  }

  stats(): LaneStats {
    this.#tally.noteUsage(this.#process?.usage());
    return this.#tally.stats(this.#process?.pid);
  }

  dispose(): void {
    this.#isClosed = true;
    this.#isOpen = false;
    clearTimeout(this.#startTimer);
    this.#process?.dispose();
    this.#settle?.reject(new Error('it is not needed any more'));
  }

  #start(): void {
    if (this.#isClosed) return;
    this.#verdict = undefined;
    this.#process = new PackageProcess(this.#boot, {
      onFrame: (kind, id, payload) => this.#receive(kind, id, payload),
      onEnd: (reason) => this.#end(reason),
    });
    const timeoutMs = this.#boot.limits.loadTimeoutMs + START_ALLOWANCE_MS;
    this.#startTimer = setTimeout(() => {
      this.kill('timeout', `it does not load within ${timeoutMs} ms`);
    }, timeoutMs).unref();
  }

  #receive(kind: string, id: number, payload: string): void {
    this.#watch?.onSign();
    if (kind === PROCESS_FRAMES.ready) this.#open(payload);
    else if (kind === PROCESS_FRAMES.unloadable) this.kill('unavailable', `it does not load: ${payload}`);
    else if (this.#isOpen && kind !== PROCESS_FRAMES.pong) this.#owner.onFrame(kind, id, payload);
  }

  #open(described: string): void {
    const process = this.#process;
    if (process === undefined || this.#isOpen) return;
    // What it says of itself decides what it may reach: it must be what the operator has been shown.
    if (described !== this.#manifest) {
      this.kill('protocol', 'it does not describe itself as in its manifest');
      return;
    }
    clearTimeout(this.#startTimer);
    const { memoryMb } = this.#boot.limits;
    const allowedBytes = (HEAP_ALLOWANCE * memoryMb + ALLOWANCE_MB) * BYTES_PER_MB;
    this.#watch = new ProcessWatch(process, (process.usage()?.rssBytes ?? 0) + allowedBytes);
    this.#isOpen = true;
    this.#openedAtMs = performance.now();
    for (const [generation, json] of this.#configurations)
      process.write(WORKER_FRAMES.configure, generation, json);
    this.#settle?.resolve();
    this.#settle = undefined;
    this.#owner.onOpen();
  }

  #end(how: string): void {
    clearTimeout(this.#startTimer);
    const wasOpen = this.#isOpen;
    const { reason, detail } = this.#verdict ?? { reason: 'crash', detail: `its process ${how}` };
    this.#process = undefined;
    this.#watch = undefined;
    this.#isOpen = false;
    if (this.#isClosed) return;
    if (this.#settle !== undefined) {
      this.#isClosed = true;
      this.#settle.reject(new Error(detail));
      return;
    }
    this.#tally.endProcess();
    if (wasOpen) this.#owner.onEnded(reason, detail);
    else this.#owner.onUnavailable(detail);
    const lasted = wasOpen && performance.now() - this.#openedAtMs >= LASTING_MS;
    const pauseMs = lasted ? 0 : this.#pauseMs;
    this.#pauseMs = lasted ? 0 : Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), MAX_PAUSE_MS);
    setTimeout(() => this.#start(), pauseMs).unref();
  }
}
