import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotTable } from '../../../../sdk/protocol/slot-table.ts';

describe('a table of slots', () => {
  it('never gives a number out twice, and uses slots again', () => {
    const table = new SlotTable<string>();
    const first = table.reserve();
    table.put(first, 'a');
    expect(table.delete(first)).toBe(true);
    expect(table.delete(first)).toBe(false);
    const second = table.reserve();
    expect(second).not.toBe(first);
    table.put(second, 'b');
    expect(table.get(first)).toBeUndefined();
    expect(table.has(second)).toBe(true);
  });

  it('follows the numbers of another table', () => {
    const leader = new SlotTable<string>();
    const follower = new SlotTable<string>();
    const numbers = [leader.reserve(), leader.reserve(), leader.reserve()];
    follower.put(numbers[2] as number, 'c');
    expect(follower.get(numbers[2] as number)).toBe('c');
    expect(follower.get(numbers[0] as number)).toBeUndefined();
    expect(follower.list()).toEqual(['c']);
  });

  it('holds what a map would hold', () => {
    const steps = fc.array(fc.nat({ max: 9 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (choices) => {
        const table = new SlotTable<number>();
        const model = new Map<number, number>();
        for (const choice of choices) {
          const oldest = [...model.keys()][choice];
          if (oldest !== undefined && choice > 4) {
            expect(table.delete(oldest)).toBe(model.delete(oldest));
          } else {
            const number = table.reserve();
            table.put(number, choice);
            model.set(number, choice);
          }
          for (const [number, entry] of model) expect(table.get(number)).toBe(entry);
          expect(table.list()).toHaveLength(model.size);
        }
      }),
    );
  });
});
