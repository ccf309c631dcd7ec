/**
 * Where the time of a crossing goes, plugin by plugin and phase by phase, in the few crossings that the host picks. Each
 * look at the clock is a call of the host's: all of them would cost more than what they measure.
 */
import { CLOCK } from '../protocol/frames.ts';
import type { PhaseName } from '../protocol/manifest.ts';
import type { PhaseUsage } from '../protocol/metric-deltas.ts';
import { motion } from './call-state.ts';

/** Taken away before any plugin is loaded, like the function that tells the host. */
const clock = takeClock();

/** Read for each handler that is run. */
export const sample = { isOn: false };
let number = 0;
const spentMs = new Map<string, number>();

/** From now to the end of the crossing. */
export function startSample(): void {
  sample.isOn = clock !== undefined;
  number++;
}

export function endSample(): void {
  sample.isOn = false;
}

/** A handler that is being timed; made only while there is a sample. */
export class Timing {
  readonly #key: string;
  readonly #sample = number;
  readonly #startedAtMs: number;
  #returnedAtMs = 0;

  constructor(plugin: string, phase: PhaseName) {
    this.#key = `${plugin}\0${phase}`;
    this.#startedAtMs = now();
  }

  /** The handler has returned, be it a promise. */
  onReturn(): void {
    this.#returnedAtMs = now();
    this.#add(this.#returnedAtMs - this.#startedAtMs);
  }

  /** Its promise has settled. What ran since is its doing where it was alone in the crossing. */
  onSettled(): void {
    if (sample.isOn && this.#sample === number && motion.count <= 1) this.#add(now() - this.#returnedAtMs);
  }

  #add(ms: number): void {
    spentMs.set(this.#key, (spentMs.get(this.#key) ?? 0) + ms);
  }
}

/** Since this was asked last. */
export function takeUsage(): readonly PhaseUsage[] {
  const usage = [...spentMs].map(([key, ms]): PhaseUsage => {
    const [plugin = '', phase = ''] = key.split('\0');
    return [plugin, phase as PhaseName, ms];
  });
  spentMs.clear();
  return usage;
}

function now(): number {
  return clock === undefined ? 0 : clock();
}

function takeClock(): (() => number) | undefined {
  const surroundings = globalThis as unknown as Record<string, (() => number) | undefined>;
  const found = surroundings[CLOCK];
  delete surroundings[CLOCK];
  return found;
}
