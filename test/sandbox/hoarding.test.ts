/** Plugins that use up the memory: the isolate dies and comes back, and only the guilty request is lost. */
import { afterEach, describe, expect, it } from 'vitest';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest | undefined;
afterEach(() => lane?.end());

/** Long enough that memory, not time, runs out. */
const PATIENT = { crossingTimeoutMs: 10_000, phaseDeadlineMs: 20_000 };

describe('a plugin that allocates without end', () => {
  it.each(['hoard', 'hoard later', 'hoard small'])(
    'fails with memory at "%s" while others of the same turn get their outcome',
    async (does) => {
      lane = await startLane('hoarding', PATIENT);
      const { run } = lane;
      const results = await Promise.all([
        run('wait'),
        run('nothing'),
        run(does),
        run('wait'),
        run('nothing'),
      ]);
      expect(results.map(verdictOf)).toEqual(['proceed', 'proceed', 'memory', 'proceed', 'proceed']);
      await lane.lane.collectMetrics();
      expect(lane.lane.stats().rebuilds).toBeGreaterThan(0);
      expect(verdictOf(await run('wait'))).toBe('proceed');
    },
  );

  it('does not cost calls that were waiting for the host their outcome', async () => {
    const answers: (() => void)[] = [];
    lane = await startLane('hoarding', PATIENT, {
      findEntity: (_, __, value) =>
        new Promise((resolve) => {
          answers.push(() => resolve({ id: value }));
        }),
    });
    const waiting = lane.run('wait');
    while (answers.length === 0) await new Promise(setImmediate);
    const results = await Promise.all([lane.run('hoard'), lane.run('nothing'), lane.run('hoard')]);
    expect(results.map(verdictOf)).toEqual(['memory', 'proceed', 'memory']);
    // The first answer is for an isolate that is gone: the call was run again and has asked again.
    while (answers.length < 2) await new Promise(setImmediate);
    for (const answer of answers) answer();
    expect(verdictOf(await waiting)).toBe('proceed');
  });

  it('is stopped by the time limit where that comes first', async () => {
    lane = await startLane('hoarding', { memoryMb: 128, crossingTimeoutMs: 10 });
    const results = await Promise.all([lane.run('nothing'), lane.run('hoard')]);
    expect(verdictOf(results[0])).toBe('proceed');
    expect(['timeout', 'memory']).toContain(verdictOf(results[1]));
    expect(verdictOf(await lane.run('nothing'))).toBe('proceed');
  });
});
