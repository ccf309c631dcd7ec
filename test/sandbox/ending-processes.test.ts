/** Packages with a process of their own: what ends it ends nobody else, and the innocent in it get their answer. */
import { afterEach, describe, expect, it } from 'vitest';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let started: LaneUnderTest | undefined;
afterEach(() => started?.end());

const taken: string[] = [];

async function start(): Promise<LaneUnderTest> {
  taken.length = 0;
  started = await startLane(
    'ending',
    { memoryMb: 32, phaseDeadlineMs: 40_000 },
    {
      findEntity: async (_, __, value) => {
        if (value === 'slow') await new Promise((resolve) => setTimeout(resolve, 300));
        return { id: value };
      },
      takeCounters: (windows) => {
        taken.push(...windows.map(({ key }) => key));
        return windows.map(() => 0);
      },
    },
    'process',
  );
  return started;
}

const END = expect.stringMatching(/^(crash|memory|timeout)$/);

describe('a plugin that ends its process', () => {
  it.each(['split', 'map', 'list', 'look up, then split'])('fails alone at "%s"', async (does) => {
    const { run, lane } = await start();
    const pid = lane.stats().pid;
    const results = await Promise.all([run('look up'), run(does), run('nothing'), run('look up')]);
    expect(results.map(verdictOf)).toEqual(['proceed', END, 'proceed', 'proceed']);
    expect(verdictOf(await run('nothing'))).toBe('proceed');
    if (lane.stats().pid === pid) expect(lane.stats().rebuilds).toBe(0);
    else expect(lane.stats().rebuilds).toBeGreaterThan(0);
  });

  it('does not have the innocent counted twice', async () => {
    const { run } = await start();
    const results = await Promise.all([run('count'), run('split'), run('count')]);
    expect(results.map(verdictOf)).toEqual(['proceed', END, 'proceed']);
    expect(taken).toEqual(['innocent', 'innocent']);
  });

  it('is run again in another process as often as it ends', async () => {
    const { run } = await start();
    for (let time = 0; time < 3; time++) {
      expect(verdictOf(await run('split'))).toEqual(END);
      expect(verdictOf(await run('nothing'))).toBe('proceed');
    }
  });
});

describe('the process of a package', () => {
  it('has no environment, and ends with its lane', async () => {
    const { lane } = await start();
    const { pid } = lane.stats();
    if (pid === undefined) throw new Error('no process');
    const { readFileSync, existsSync } = await import('node:fs');
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('');
    lane.dispose();
    while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('that is killed is replaced, and whoever was in it answered', async () => {
    const { run, lane } = await start();
    const first = run('look up');
    const second = run('look up');
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(lane.stats().pid ?? 0, 'SIGKILL');
    expect((await Promise.all([first, second])).map(verdictOf)).toEqual(['proceed', 'proceed']);
  });
});
