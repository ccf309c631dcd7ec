/** What the processes of one package have used, one after the other. */
import type { LaneStats } from '../sandbox/package-lane.ts';
import type { ProcessUsage } from './process-usage.ts';

const COUNTS = ['crossings', 'timeouts', 'rebuilds', 'droppedEntries'] as const;
const NOTHING = { crossings: 0, timeouts: 0, rebuilds: 0, droppedEntries: 0 };

export class ProcessTally {
  #before = { ...NOTHING, cpuSeconds: 0 };
  #now = { ...NOTHING };
  #heapBytes = 0;
  #queuedEntries = 0;
  #usage: ProcessUsage | undefined;

  /** As the process tells it: counts of its own that grow. Anything else is left out. */
  noteStats(stats: Partial<Record<keyof LaneStats, unknown>>): void {
    for (const name of COUNTS) {
      const count = stats[name];
      if (isCount(count)) this.#now[name] = count;
    }
    if (isCount(stats.heapBytes)) this.#heapBytes = stats.heapBytes;
    if (isCount(stats.queuedEntries)) this.#queuedEntries = stats.queuedEntries;
  }

  /** As the kernel tells it. */
  noteUsage(usage: ProcessUsage | undefined): void {
    this.#usage = usage ?? this.#usage;
  }

  /** The process has ended; what comes is counted by another. */
  endProcess(): void {
    for (const name of COUNTS) this.#before[name] += this.#now[name];
    this.#before.rebuilds++;
    this.#before.cpuSeconds += this.#usage?.cpuSeconds ?? 0;
    this.#now = { ...NOTHING };
    this.#heapBytes = 0;
    // What was queued is gone with it.
    this.#before.droppedEntries += this.#queuedEntries;
    this.#queuedEntries = 0;
    this.#usage = undefined;
  }

  stats(pid: number | undefined): LaneStats {
    return {
      crossings: this.#before.crossings + this.#now.crossings,
      timeouts: this.#before.timeouts + this.#now.timeouts,
      rebuilds: this.#before.rebuilds + this.#now.rebuilds,
      cpuSeconds: this.#before.cpuSeconds + (this.#usage?.cpuSeconds ?? 0),
      heapBytes: this.#heapBytes,
      queuedEntries: this.#queuedEntries,
      droppedEntries: this.#before.droppedEntries + this.#now.droppedEntries,
      ...(pid !== undefined && { pid }),
      ...(this.#usage !== undefined && { rssBytes: this.#usage.rssBytes }),
    };
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;
