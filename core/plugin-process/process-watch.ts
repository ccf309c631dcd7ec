/**
 * Looks after a process that has something to do: one that takes far more memory than its isolate may, or that says
 * nothing any more although it has the CPU, is not waited for. V8 can be kept busy, or made to allocate, where neither
 * the time limit of a crossing nor that of the heap reaches.
 */
import type { PackageProcess } from './package-process.ts';
import { WORKER_FRAMES } from './wire.ts';

/** For so long a process may say nothing that has the CPU. */
const MAX_SILENCE_MS = 1000;
/** For so long one may that has not: others keep the machine busy. */
const MAX_STARVATION_MS = 10_000;
/** Share of the silence spent on the CPU from which on the process itself is to blame. */
const BUSY_SHARE = 0.5;

export type WatchVerdict = { readonly reason: 'memory' | 'timeout'; readonly detail: string };

export class ProcessWatch {
  readonly #process: PackageProcess;
  readonly #maxRssBytes: number;
  /** Of the ping that is not answered yet; 0 when all are. */
  #pingedAtMs = 0;
  #cpuAtPingSeconds = 0;
  #lastPing = 0;

  constructor(process: PackageProcess, maxRssBytes: number) {
    this.#process = process;
    this.#maxRssBytes = maxRssBytes;
  }

  /** It has said something. */
  onSign(): void {
    this.#pingedAtMs = 0;
  }

  /** Call from time to time while the process has something to do. Why it should be ended, if so. */
  look(nowMs: number): WatchVerdict | undefined {
    const usage = this.#process.usage();
    if (usage !== undefined && usage.rssBytes > this.#maxRssBytes) {
      return { reason: 'memory', detail: `its process took ${usage.rssBytes} bytes` };
    }
    if (this.#pingedAtMs === 0) {
      this.#pingedAtMs = nowMs;
      this.#cpuAtPingSeconds = usage?.cpuSeconds ?? 0;
      this.#process.write(WORKER_FRAMES.ping, ++this.#lastPing, '');
      return undefined;
    }
    const silentMs = nowMs - this.#pingedAtMs;
    if (silentMs < MAX_SILENCE_MS) return undefined;
    const cpuMs = ((usage?.cpuSeconds ?? 0) - this.#cpuAtPingSeconds) * 1000;
    if (silentMs < MAX_STARVATION_MS && cpuMs < silentMs * BUSY_SHARE) return undefined;
    return { reason: 'timeout', detail: `its process has said nothing for ${Math.round(silentMs)} ms` };
  }
}
