/**
 * Things under way, by number. A Map would do, but each time a Map's table grows or shrinks the old table keeps
 * pointing at the new one; once such a table has reached the old generation, everything ever entered survives until
 * the next full collection (measured: a third of all allocations, a tenth of the CPU). Slots are used again instead.
 */

/** A number is a count times this, plus the slot: it never comes back while anybody could remember it. */
const SLOTS = 65_536;

export class SlotTable<Entry> {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #numbers: number[] = [];
  readonly #free: number[] = [];
  #count = 0;

  /** A number to `put` something under. Throws RangeError when too many are under way. */
  reserve(): number {
    const slot = this.#free.pop() ?? this.#entries.push(undefined) - 1;
    if (slot >= SLOTS) throw new RangeError('too many calls under way');
    return ++this.#count * SLOTS + slot;
  }

  /** `number` was reserved here, or in the table on the other side that this one follows. */
  put(number: number, entry: Entry): void {
    const slot = number % SLOTS;
    while (this.#entries.length <= slot) this.#entries.push(undefined);
    this.#entries[slot] = entry;
    this.#numbers[slot] = number;
  }

  get(number: number): Entry | undefined {
    const slot = number % SLOTS;
    return this.#numbers[slot] === number ? this.#entries[slot] : undefined;
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  /** False when there was none. */
  delete(number: number): boolean {
    if (!this.has(number)) return false;
    const slot = number % SLOTS;
    this.#entries[slot] = undefined;
    this.#free.push(slot);
    return true;
  }

  /** A copy: entries may be deleted while it is gone through. */
  list(): Entry[] {
    return this.#entries.filter((entry) => entry !== undefined);
  }
}
