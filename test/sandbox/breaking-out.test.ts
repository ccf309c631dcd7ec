/** Every way out we know of, each beside calls of another package in the same thread: none of those may notice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WAY_NAMES } from './plugins/breaking-out.ts';
import { type CallResult, type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let bystander: LaneUnderTest;
let hostile: LaneUnderTest;
beforeAll(async () => {
  bystander = await startLane('keeping', { phaseDeadlineMs: 20_000, crossingTimeoutMs: 5000 });
});
afterAll(() => bystander?.end());
afterEach(() => hostile?.end());

describe('a way out of the sandbox', () => {
  it.each(WAY_NAMES)('ends with the call that tries it: %s', async (way) => {
    hostile = await startLane('breaking-out', { phaseDeadlineMs: 1000, memoryMb: 16 });
    const quiet = [1, 2, 3].map((at) => bystander.run(`wait ${way}${at}`));
    const tried = [hostile.run(way), hostile.run('')];
    const beside = [4, 5, 6].map((at) => bystander.run(`wait ${way}${at}`));
    const results = await Promise.all(tried);
    expect((await Promise.all([...quiet, ...beside])).map(verdictOf)).toEqual(new Array(6).fill('exit'));
    for (const result of results) expectSoundHeads(result);
    expect(bystander.incidents).toEqual([]);
    expect(verdictOf(await bystander.run(`load ${way}`))).toBe('exit');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

/** Nothing that goes into a head could end a line of it, whatever the plugin has tried. */
function expectSoundHeads(result: CallResult): void {
  if ('failure' in result) return;
  const { serviceTriples, responseTriples, changes } = result.outcome;
  const parts = [...(serviceTriples ?? []), ...(responseTriples ?? [])];
  for (const part of [...parts, changes?.method, changes?.path, changes?.rawQuery]) {
    expect(part ?? '').not.toMatch(/[\r\n\0]/);
  }
}
