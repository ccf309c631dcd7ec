/** What plugins keep between phases and between requests, and what becomes of it when requests end early. */
import { afterEach, describe, expect, it } from 'vitest';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest;
afterEach(() => lane?.end());

/** What it answered, or the message of its error. */
async function ask(does: string): Promise<unknown> {
  const result = await lane.run(does);
  if ('failure' in result) return result.failure;
  return result.outcome.failure?.message ?? JSON.parse(result.outcome.body);
}

describe('a value in the cache', () => {
  it('is loaded once, for requests that come later and for those that come at once', async () => {
    lane = await startLane('keeping');
    expect(await ask('load a')).toEqual({ loads: 1, number: 1 });
    expect(await ask('load a')).toEqual({ loads: 1, number: 1 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('wait b')));
    expect(answers).toEqual(new Array(4).fill({ loads: 2, number: 2 }));
  });

  it('may be that there is none', async () => {
    lane = await startLane('keeping');
    expect(await ask('miss a')).toEqual({ loads: 1, number: null });
    expect(await ask('load a')).toEqual({ loads: 1, number: null });
  });

  it('goes when its time is over, and when it is taken out', async () => {
    lane = await startLane('keeping');
    await ask('briefly a');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await ask('load a')).toEqual({ loads: 2, number: 2 });
    expect(await ask('forget a')).toEqual({ loads: 3, number: 3 });
  });

  it('is not kept when loading fails, and all who wait hear why', async () => {
    lane = await startLane('keeping');
    expect(await Promise.all([ask('fail a'), ask('load a')])).toEqual(['cannot load', 'cannot load']);
    expect(await ask('load a')).toEqual({ loads: 2, number: 2 });
  });

  it('is loaded by the next one when the request that loads it never ends', async () => {
    lane = await startLane('keeping', { phaseDeadlineMs: 400 });
    const hanging = ask('hang a');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const waiting = ask('load a');
    expect(await hanging).toBe('deadline');
    expect(await waiting).toEqual({ loads: 2, number: 2 });
  });

  it.each([
    ['misuse 0', 'a time to live must be a positive number'],
    ['misuse x', 'a time to live must be a positive number'],
    ['overlong a', 'a key is longer than 1024 characters'],
  ])('is refused what makes no sense: %s', async (does, message) => {
    lane = await startLane('keeping');
    expect(await ask(does)).toBe(message);
  });
});

describe('the context of a plugin', () => {
  it('is there in a later phase of the request, once', async () => {
    lane = await startLane('keeping');
    expect(verdictOf(await lane.run('context here'))).toBe('exit');
    lane.log('context here');
    lane.log('context here');
    await lane.lane.collectMetrics();
    expect(lane.logLines.map(({ message }) => message)).toEqual(['here', 'nothing']);
  });
});

describe('what a proxy says of the request', () => {
  const headers = {
    'x-forwarded-proto': 'HTTPS',
    'x-forwarded-host': 'user@Api.Example.com:8443',
    'x-forwarded-path': '/outer',
  };
  const node = { id: 'n', hostname: 'h', pid: 1, address: '127.0.0.1' };

  it('counts when the proxy is trusted', async () => {
    lane = await startLane(
      'keeping',
      {},
      { node: { ...node, trustedIps: ['127.0.0.0/8', '10.0.0.0/8', 'unix:'] } },
    );
    const result = await lane.run('forwarded', undefined, headers);
    expect('outcome' in result && JSON.parse(result.outcome.body)).toEqual({
      trusted: true,
      scheme: 'https',
      host: 'api.example.com',
      port: 8443,
      path: '/outer',
    });
  });

  it('counts for nothing otherwise', async () => {
    lane = await startLane('keeping', {}, { node });
    const result = await lane.run('forwarded', undefined, { ...headers, host: 'Own:8000' });
    expect('outcome' in result && JSON.parse(result.outcome.body)).toEqual({
      trusted: false,
      scheme: 'http',
      host: 'own',
      port: 8000,
      path: '/',
    });
  });
});
