/** The lanes of a worker by number. A number is nobody else's until its lane is taken out. */
import type { PhaseLane } from '../pipeline/phase-lane.ts';
import { createSlot, type PackageSlot } from './package-slot.ts';

export class LaneTable {
  /** As the request path reads it; a hole where there was one. */
  readonly byNumber: PhaseLane[] = [];
  readonly #slots: (PackageSlot | undefined)[] = [];

  /** `lane` is what requests run through, which may stand in for what could not be loaded. */
  add(lane: PhaseLane, content: Parameters<typeof createSlot>[0]): number {
    const hole = this.#slots.indexOf(undefined);
    const number = hole === -1 ? this.#slots.length : hole;
    this.#slots[number] = createSlot(content);
    this.byNumber[number] = lane;
    return number;
  }

  remove(number: number): void {
    this.#slots[number] = undefined;
    delete this.byNumber[number];
  }

  slot(number: number): PackageSlot | undefined {
    return this.#slots[number];
  }

  /** What is in it. */
  slots(): readonly PackageSlot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }

  /** The same with numbers. */
  entries(): readonly (readonly [number: number, slot: PackageSlot])[] {
    return this.#slots.flatMap((slot, number) => (slot === undefined ? [] : [[number, slot] as const]));
  }

  /** -1 where there is none. */
  find(isMeant: (slot: PackageSlot) => boolean): number {
    return this.#slots.findIndex((slot) => slot !== undefined && isMeant(slot));
  }

  /** One value for each number up to the last, holes included. */
  map<Value>(read: (slot: PackageSlot | undefined, number: number) => Value): readonly Value[] {
    return Array.from(this.#slots, read);
  }
}
