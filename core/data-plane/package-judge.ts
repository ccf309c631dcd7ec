/**
 * What becomes of published packages that break their limits: strikes, and a quarantine for so long in which requests are
 * answered without them. One that cannot take its configuration again and again stays out.
 */
import type { PhaseFailureReason } from '../pipeline/phase-outcome.ts';
import { AbsentLane } from '../sandbox/absent-lane.ts';
import type { PackageLane } from '../sandbox/package-lane.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import type { LaneTable } from './lane-table.ts';
import { noteError, type PackageSlot } from './package-slot.ts';

const MAX_REFUSALS = 3;

export interface JudgeEvents {
  /** A published package cannot be loaded, or cannot take its configuration, though it could before. */
  onUnavailable(artefact: PluginArtefact, error: unknown): void;
  /** A published package uses more of a CPU than it may. */
  onOverBudget(artefact: PluginArtefact): void;
  /** A published package has been found guilty too often, and does not run for so long. */
  onQuarantine(artefact: PluginArtefact, forMs: number): void;
}

export class PackageJudge {
  readonly #table: LaneTable;
  readonly #events: JudgeEvents;

  constructor(table: LaneTable, events: JudgeEvents) {
    this.#table = table;
    this.#events = events;
  }

  /** It is not asked to take configurations any more. */
  isHopeless({ refusals }: PackageSlot): boolean {
    return refusals >= MAX_REFUSALS;
  }

  noteIncident(number: number, reason: PhaseFailureReason, detail: string): void {
    const slot = this.#table.slot(number);
    if (slot?.artefact === undefined || slot.lane === undefined || slot.isQuarantined) return;
    noteError(slot, reason, detail, Date.now());
    // Waiting too long for an answer from elsewhere is no crime; keeping the worker busy is.
    if (reason === 'deadline') return;
    this.#strike(number, slot, slot.artefact, reason === 'unavailable');
  }

  /** `problem`: why it could not take a configuration. */
  noteConfigured(number: number, problem: string | undefined): void {
    const slot = this.#table.slot(number);
    if (slot?.artefact === undefined) return;
    if (problem === undefined) slot.refusals = 0;
    else this.noteRefusal(number, slot, slot.artefact, new Error(problem));
  }

  noteRefusal(number: number, slot: PackageSlot, artefact: PluginArtefact, error: unknown): void {
    this.#events.onUnavailable(artefact, error);
    slot.refusals++;
    if (this.isHopeless(slot)) this.#shutOut(number, slot);
  }

  /**
   * To be called once a second or so: a published package that uses more of a CPU than `msPerSecond` gets a strike, and in
   * a process of its own the CPU when nobody else wants it.
   */
  chargeCpu(msPerSecond: number): void {
    const nowMs = performance.now();
    for (const [number, slot] of this.#table.entries()) {
      if (slot.artefact === undefined || slot.lane === undefined) continue;
      const { cpuSeconds } = slot.lane.stats();
      if (!slot.budget.isExceeded(cpuSeconds, nowMs, msPerSecond)) continue;
      slot.lane.lowerPriority?.();
      this.#events.onOverBudget(slot.artefact);
      this.#strike(number, slot, slot.artefact);
    }
  }

  #strike(number: number, slot: PackageSlot, artefact: PluginArtefact, isConviction = false): void {
    if (slot.isQuarantined) return;
    const { strikes } = slot;
    const forMs = isConviction ? strikes.convict(Date.now()) : strikes.note(Date.now());
    if (forMs === 0) return;
    this.#shutOut(number, slot);
    this.#events.onQuarantine(artefact, forMs);
    setTimeout(() => this.#release(number, slot, slot.lane), forMs).unref();
  }

  #shutOut(number: number, slot: PackageSlot): void {
    slot.isQuarantined = true;
    slot.lane?.rest(true);
    const detail = `the package '${slot.name}' is in quarantine`;
    this.#table.byNumber[number] = new AbsentLane(slot.onError, detail, slot.lane);
  }

  #release(number: number, slot: PackageSlot, lane: PackageLane | undefined): void {
    if (this.#table.slot(number) !== slot || lane === undefined || this.isHopeless(slot)) return;
    slot.isQuarantined = false;
    lane.rest(false);
    this.#table.byNumber[number] = lane;
  }
}
