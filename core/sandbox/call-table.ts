/**
 * The calls a guest has, by number. A Map would do, but each time a Map's table grows or shrinks the old table keeps
 * pointing at the new one; once such a table has reached the old generation, every request ever entered survives
 * until the next full collection (measured: a third of all allocations, a tenth of the CPU). Slots are used again
 * instead.
 */
import type { ActiveCall } from './active-call.ts';

/** A number is a count of calls times this, plus the slot: it never comes back while anybody could remember it. */
const SLOTS = 65_536;

export class CallTable {
  readonly #slots: (ActiveCall | undefined)[] = [];
  readonly #free: number[] = [];
  #count = 0;

  /** The number for the next call to be added. Throws RangeError when too many are under way. */
  reserve(): number {
    const slot = this.#free.pop() ?? this.#slots.push(undefined) - 1;
    if (slot >= SLOTS) throw new RangeError('too many calls under way');
    return ++this.#count * SLOTS + slot;
  }

  /** `call.id` was reserved. */
  add(call: ActiveCall): void {
    this.#slots[call.id % SLOTS] = call;
  }

  get(id: number): ActiveCall | undefined {
    const call = this.#slots[id % SLOTS];
    return call?.id === id ? call : undefined;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** False when there was none. */
  delete(id: number): boolean {
    if (!this.has(id)) return false;
    this.#slots[id % SLOTS] = undefined;
    this.#free.push(id % SLOTS);
    return true;
  }

  /** A copy: calls may be deleted while it is gone through. */
  list(): ActiveCall[] {
    return this.#slots.filter((call) => call !== undefined);
  }
}
