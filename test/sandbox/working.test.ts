/** Bodies, queues and timers of plugins that do not behave, each beside calls that do. */
import { afterEach, describe, expect, it } from 'vitest';
import { createSettableClock } from '../../core/testing/settable-clock.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type LaneUnderTest, startLane, usualIsolation, verdictOf } from './support/start-lane.ts';

const started: LaneUnderTest[] = [];

/** Long enough that memory, not time, runs out. */
const PATIENT = { crossingTimeoutMs: 10_000, phaseDeadlineMs: 20_000 };

/** In a process of its own a lane goes by the real time, which passes without being asked to. */
const isTimeSet = usualIsolation === 'thread';

async function start(limits: Parameters<typeof startLane>[1] = {}) {
  const clock = createSettableClock();
  const lane = await startLane(
    'working',
    { backgroundDeadlineMs: 300, ...limits },
    {},
    usualIsolation,
    clock,
  );
  started.push(lane);
  const messages = () => lane.logLines.map(({ message }) => message);
  return {
    ...lane,
    clock,
    messages,
    /** Resolves once so many lines begin with the text. */
    said: (text: string, count = 1) =>
      pollUntil(
        text,
        () => messages().filter((message) => message.startsWith(text)).length,
        (found) => found >= count,
      ),
    runs: async () => {
      const result = await lane.run('report');
      return 'outcome' in result ? Number(result.outcome.responseTriples?.[2]) : undefined;
    },
  };
}

afterEach(() => {
  for (const lane of started.splice(0)) lane.end();
});

describe('a queue', () => {
  it('hands over one entry at a time where nothing else is said', async () => {
    const { run, said, messages } = await start();
    await Promise.all([run('push a'), run('push b')]);
    await said('batch', 2);
    expect(messages().filter((message) => message.startsWith('batch'))).toEqual([
      'batch [{"text":"a"}]',
      'batch [{"text":"b"}]',
    ]);
  });

  it('gathers entries until there are enough, or the first has waited long enough', async () => {
    const { run, said, clock, configure, messages } = await start();
    configure({ queue: { max_batch_size: 3, max_coalescing_delay: 2 } });
    await run('push-many 4');
    await said('batch [0,1,2]');
    clock.advance(1999);
    await run('nothing');
    if (isTimeSet) expect(messages()).not.toContain('batch [3]');
    clock.advance(1);
    await said('batch [3]');
  });

  it('tries a batch again, ever later, until its time is over', async () => {
    const { run, said, clock, configure, messages, measure } = await start();
    configure({ queue: { initial_retry_delay: 1, max_retry_delay: 2, max_retry_time: 4 } });
    await run('mood throw');
    await run('push a');
    await said('onBatch failed: Error: no batch today');
    clock.advance(999);
    await run('nothing');
    if (isTimeSet)
      expect(messages().filter((message) => message.startsWith('onBatch failed'))).toHaveLength(1);
    clock.advance(1);
    await said('onBatch failed', 2);
    clock.advance(2000);
    await said('onBatch failed', 3);
    await said('1 entries of the queue of i dropped: given up after 4 s');
    expect(await measure()).toMatchObject({ queuedEntries: 0, droppedEntries: 1 });
  });

  it('comes through when the plugin recovers', async () => {
    const { run, said, clock } = await start();
    await run('mood throw');
    await run('push a');
    await said('onBatch failed');
    await run('mood fine');
    clock.advance(10);
    await said('batch [{"text":"a"}]');
  });

  it('drops the oldest when there are too many, and says so', async () => {
    const { run, said, clock, configure, measure } = await start();
    configure({ queue: { max_entries: 3, max_batch_size: 10, max_coalescing_delay: 1 } });
    await run('push-many 5');
    expect(await measure()).toMatchObject({ queuedEntries: 3, droppedEntries: 2 });
    await said('1 entries of the queue of i dropped: the queue is full');
    clock.advance(10_000);
    await said('batch [2,3,4]');
    if (isTimeSet) await said('1 entries of the queue of i dropped: the queue is full', 2);
  });

  it('drops the oldest when they are too large together', async () => {
    const { run, said, clock, configure } = await start();
    configure({ queue: { max_bytes: 30, max_batch_size: 10 } });
    for (const letter of ['a', 'b', 'c']) await run(`push ${letter}`);
    clock.advance(1000);
    await said('batch [{"text":"b"},{"text":"c"}]');
  });

  it('takes 100 entries of one call, and nothing that is too long or no data', async () => {
    const { run, measure } = await start();
    const results = await Promise.all([
      run('push-many 1000000'),
      run('push-odd long'),
      run('push-odd nothing'),
      run('push a'),
    ]);
    expect(results.map(verdictOf)).toEqual(['error', 'error', 'error', 'proceed']);
    await pollUntil('the queue', measure, ({ queuedEntries }) => queuedEntries === 0);
    expect((await measure()).droppedEntries).toBe(0);
  });

  it('hands over what it holds when it is drained', async () => {
    const { run, configure, lane, messages } = await start();
    configure({ queue: { max_batch_size: 10 } });
    await run('push a');
    await new Promise<void>((resolve) => lane.drain(1000, resolve));
    expect(messages()).toContain('batch [{"text":"a"}]');
  });

  it('is drained no longer than it may take', async () => {
    const { run, clock, lane, measure } = await start();
    await run('mood never');
    await run('push a');
    const drained = new Promise<void>((resolve) => lane.drain(1000, resolve));
    clock.advance(1000);
    await drained;
    expect((await measure()).queuedEntries).toBe(1);
  });

  it('hands over what it holds when its instance is deleted', async () => {
    const { run, said, configure } = await start();
    configure({ queue: { max_batch_size: 10 } });
    await run('push a');
    configure(undefined);
    await said('batch [{"text":"a"}]');
  });

  it('survives the isolate', async () => {
    const { run, said, clock, configure, openBody, measure } = await start(PATIENT);
    configure({ queue: { max_batch_size: 10 } });
    await run('push a');
    const body = await openBody();
    await expect(body.feed('hoard')).rejects.toThrow('memory');
    expect((await measure()).rebuilds).toBeGreaterThan(0);
    clock.advance(1000);
    await said('batch [{"text":"a"}]');
  });

  it.each(['never', 'loop'])('tries again when the plugin does not come to an end: %s', async (mood) => {
    const { run, said, clock } = await start();
    await run(`mood ${mood}`);
    await run('push a');
    expect(verdictOf(await run('nothing'))).toBe('proceed');
    await said('onBatch failed');
    await run('mood fine');
    clock.advance(10);
    await said('batch [{"text":"a"}]');
  });

  it('stands still while its package may not run', async () => {
    const { run, said, lane, messages } = await start();
    lane.rest(true);
    await run('push a');
    await run('nothing');
    expect(messages().filter((message) => message.startsWith('batch'))).toEqual([]);
    lane.rest(false);
    await said('batch');
  });
});

describe('a timer', () => {
  it('runs every so often, as long as there is an instance', async () => {
    const { clock, said, configure, runs } = await start();
    clock.advance(1000);
    await said('timer for 1');
    clock.advance(1000);
    await said('timer for 1', 2);
    configure(undefined);
    clock.advance(5000);
    configure({});
    if (isTimeSet) expect(await runs()).toBe(2);
  });

  it.each(['loop', 'never'])('does not run again before it has ended: %s', async (mood) => {
    const { clock, run, runs, said } = await start();
    await run(`mood ${mood}`);
    clock.advance(3000);
    expect((await Promise.all([run('nothing'), run('nothing')])).map(verdictOf)).toEqual([
      'proceed',
      'proceed',
    ]);
    await said('timer failed');
    await run('mood fine');
    const before = Number(await runs());
    clock.advance(1000);
    await said('timer for 1');
    if (isTimeSet) expect(await runs()).toBe(before + 1);
  });

  it('counts its loops against its package', async () => {
    const { clock, run, said, incidents } = await start();
    await run('mood loop');
    clock.advance(1000);
    await said('timer failed: timeout');
    expect(incidents).toEqual(['timeout']);
  });

  it('goes on when it has thrown', async () => {
    const { clock, run, said } = await start();
    await run('mood throw');
    clock.advance(1000);
    await said('timer failed: Error: no timer today');
    await run('mood fine');
    clock.advance(1000);
    await said('timer for 1');
  });
});

describe('a plugin that wants to know of configurations', () => {
  it('hears of each that is another, before the first request, and of their end', async () => {
    const { configure, run, messages } = await start();
    for (const config of [{}, { a: 1 }, { a: 1 }, undefined]) {
      configure(config);
      await run('nothing');
    }
    expect(messages().filter((message) => message.startsWith('configured'))).toEqual([
      'configured [{}]',
      'configured [{"a":1}]',
      'configured []',
    ]);
  });

  it.runIf(isTimeSet)('hears of it in an isolate that could not be loaded at first', async () => {
    const { run, said, spoil } = await start(PATIENT);
    await said('configured', 1);
    spoil(true);
    await run('hoard');
    expect(verdictOf(await run('nothing'))).toBe('unavailable');
    spoil(false);
    await said('configured', 2);
    expect(verdictOf(await run('nothing'))).toBe('proceed');
  });
});

describe('a body', () => {
  it('keeps its order and what the plugin knows of it', async () => {
    const { openBody } = await start();
    const [one, two] = await Promise.all([openBody(), openBody()]);
    expect(await Promise.all([one.feed('a'), two.feed('b')])).toEqual(['a1', 'b2']);
    expect(await one.feed('c', true)).toBe('c3');
  });

  it.each([
    ['loop', 'timeout'],
    ['never', 'deadline'],
    ['grow', 'error: plugin .* more than 1048576 bytes'],
    ['no text', 'error: plugin .* put number in the place of text'],
    ['hoard', 'memory'],
  ])('ends where a plugin does: %s', async (piece, reason) => {
    const { openBody, run } = await start(piece === 'hoard' ? PATIENT : { phaseDeadlineMs: 400 });
    const body = await openBody();
    await body.feed('a');
    const failed = body.feed(piece);
    const beside = run('nothing');
    await expect(failed).rejects.toThrow(new RegExp(reason));
    expect(verdictOf(await beside)).toBe('proceed');
    const other = await openBody();
    expect(await other.feed('b', true)).toMatch(/^b\d$/);
  });

  it('goes on beside one that loops', async () => {
    const { openBody, incidents } = await start();
    const [guilty, innocent, other] = await Promise.all([openBody(), openBody(), openBody()]);
    const results = await Promise.allSettled([innocent.feed('a'), guilty.feed('loop'), other.feed('b')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await innocent.feed('c', true)).toBe('c3');
    // Beside others it could not be told whose doing it was; alone it can.
    const again = await openBody();
    await expect(again.feed('loop')).rejects.toThrow('timeout');
    expect(incidents).toEqual(['timeout']);
  });

  it('is over once nobody waits for it', async () => {
    const { openBody, run } = await start();
    const body = await openBody();
    void body.feed('never');
    body.close();
    expect(verdictOf(await run('nothing'))).toBe('proceed');
  });
});
