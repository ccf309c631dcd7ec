/** Plugins that do not stop: the guilty request pays, those that crossed with it do not. */
import { afterEach, describe, expect, it } from 'vitest';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

const started: LaneUnderTest[] = [];

async function start(...settings: Parameters<typeof startLane>): Promise<LaneUnderTest> {
  const lane = await startLane(...settings);
  started.push(lane);
  return lane;
}

afterEach(() => {
  for (const lane of started.splice(0)) lane.end();
});

describe('a plugin that does not stop', () => {
  it.each([
    ['loop', 'nothing'],
    ['loop in microtasks', 'nothing'],
    ['loop after counting', 'count'],
    ['loop after a lookup', 'look up'],
  ])(
    'it fails with a timeout at "%s", and those of the same turn that "%s" go on',
    async (loop, innocent) => {
      const { run } = await start('looping', { phaseDeadlineMs: 15_000 });
      const results = await Promise.all([run(innocent), run(loop), run(innocent), run('count')]);
      expect(results.map(verdictOf)).toEqual(['proceed', 'timeout', 'proceed', 'proceed']);
      expect(verdictOf(await run(innocent))).toBe('proceed');
    },
  );

  it('leaves calls that cross behind it what they waited for', async () => {
    const { run } = await start('looping', { phaseDeadlineMs: 15_000 });
    const waiting = [run('look up twice'), run('look up twice')];
    const loops = [run('loop'), run('loop after a lookup'), run('loop')];
    expect((await Promise.all(waiting)).map(verdictOf)).toEqual(['proceed', 'proceed']);
    expect((await Promise.all(loops)).map(verdictOf)).toEqual(['timeout', 'timeout', 'timeout']);
    expect(verdictOf(await run('look up twice'))).toBe('proceed');
  });

  it('loses no answer to a lookup that arrives together with a loop', async () => {
    const answers: (() => void)[] = [];
    const { run } = await start(
      'looping',
      { phaseDeadlineMs: 15_000 },
      {
        findEntity: (_, __, value) =>
          new Promise((resolve) => {
            answers.push(() => resolve({ id: value }));
          }),
      },
    );
    const waiting = run('look up');
    await until(() => answers.length === 1);
    // The loop is queued first: the answer is behind it in the same crossing.
    const loop = run('loop');
    answers[0]?.();
    expect(verdictOf(await loop)).toBe('timeout');
    const again = run('look up');
    await until(() => {
      for (const answer of answers) answer();
      return true;
    });
    const settled = Promise.all([waiting, again]);
    for (let at = 0; at < 20; at++) {
      for (const answer of answers) answer();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await settled).map(verdictOf)).toEqual(['proceed', 'proceed']);
  });

  it('does not touch another lane', async () => {
    const guilty = await start('looping');
    const other = await start('looping');
    const loop = guilty.run('loop');
    expect(verdictOf(await other.run('count'))).toBe('proceed');
    expect(other.incidents).toEqual([]);
    expect(verdictOf(await loop)).toBe('timeout');
  });

  it('fails at the deadline when it never answers', async () => {
    const { run, incidents } = await start('looping', { phaseDeadlineMs: 200 });
    const results = await Promise.all([run('never answer'), run('nothing')]);
    expect(results.map(verdictOf)).toEqual(['deadline', 'proceed']);
    expect(incidents).toEqual(['deadline']);
    expect(verdictOf(await run('nothing'))).toBe('proceed');
  });

  it.each(['loop', 'never answer'])(
    'is forgotten at the deadline when it is a log handler: "%s"',
    async (does) => {
      const { run, log, lane, logLines } = await start('looping', { phaseDeadlineMs: 200 });
      log(does);
      log('nothing');
      expect(verdictOf(await run('nothing'))).toBe('proceed');
      await until(() => logLines.some(({ message }) => message === 'logged'));
      await until(async () => {
        const before = lane.stats().crossings;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return lane.stats().crossings === before;
      });
      expect(verdictOf(await run('nothing'))).toBe('proceed');
    },
  );
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
