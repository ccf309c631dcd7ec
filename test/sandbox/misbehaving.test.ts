/** Plugins that throw, ask for too much, write what they must not, or look for a way out. */
import { afterEach, describe, expect, it } from 'vitest';
import { type CallResult, type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest | undefined;
afterEach(() => lane?.end());

describe('a plugin that throws', () => {
  it.each(
    ['throw', 'reject'].flatMap((how) =>
      ['error', 'text', 'nothing', 'symbol', 'bare', 'unprintable', 'proxy'].map((what) => `${how} ${what}`),
    ),
  )('fails alone: %s', async (does) => {
    lane = await startLane('throwing');
    const results = await Promise.all([lane.run(''), lane.run(does), lane.run('')]);
    expect(results.map(verdictOf)).toEqual(['proceed', 'error', 'proceed']);
    expect(failureOf(results[1])).toMatchObject({ plugin: 'throwing', phase: 'access' });
    expect(verdictOf(await lane.run(''))).toBe('proceed');
  });

  it('is quoted with the name and message of its error', async () => {
    lane = await startLane('throwing');
    expect(failureOf(await lane.run('throw error'))).toMatchObject({
      name: 'RangeError',
      message: 'out of range',
    });
    expect(failureOf(await lane.run('reject text'))).toMatchObject({ message: 'just text' });
  });
});

describe('a plugin that asks for more than it may have', () => {
  it.each([
    ['count without end', 'too many host calls'],
    ['look up without end', 'too many host calls'],
    ['ask for a million rows at once', 'too many host calls'],
    ['read the body', `the manifest does not ask for 'requestBody'`],
    ['hash without asking', `the manifest does not ask for 'crypto'`],
    ['list a foreign entity', `the manifest does not list the entity 'acls'`],
    ['look up a foreign entity', `the manifest does not list the entity 'basicauth_credentials'`],
    ['look up __proto__', `the manifest does not list the entity '__proto__'`],
    ['count in too many windows', 'counters.take takes up to 16 windows of key, limit and expiry'],
    ['count garbage', 'counters.take takes up to 16 windows of key, limit and expiry'],
    ['count without measure', 'cost must be a whole number up to 1000000000'],
    ['count in the cluster', `the manifest does not list the counters 'cluster'`],
    ['count in Redis', `the manifest does not list the counters 'redis'`],
  ])('is refused: %s', async (does, message) => {
    lane = await startLane('asking', { phaseDeadlineMs: 15_000 });
    const results = await Promise.all([lane.run('look up a consumer'), lane.run(does), lane.run('')]);
    expect(results.map(verdictOf)).toEqual(['proceed', 'error', 'proceed']);
    expect(failureOf(results[1])?.message).toBe(message);
    expect(verdictOf(await lane.run('look up a consumer'))).toBe('proceed');
  });
});

describe('a plugin that writes heads', () => {
  it('gets an error for everything that is not one header', async () => {
    lane = await startLane('splitting');
    const result = await lane.run('');
    const { errors } = JSON.parse(outcomeOf(result).body) as { readonly errors: readonly string[] };
    expect(errors.every((name) => name === 'TypeError')).toBe(true);
    expect(outcomeOf(result).responseTriples).toBeNull();
    expect(outcomeOf(result).serviceTriples).toBeNull();
  });
});

describe('a plugin that looks for a way out', () => {
  it('finds neither Node.js nor memory beyond its heap', async () => {
    lane = await startLane('escaping');
    const found = JSON.parse(outcomeOf(await lane.run('')).body) as Record<string, unknown>;
    expect(found['found']).toEqual([]);
    expect(found['imported']).toEqual([]);
    expect(found['memory']).toMatch(/^threw|^undefined/);
    expect(found['stack']).not.toMatch(/node:|\.ts|plugin-isolate/);
    expect(String(found['prepared'])).not.toMatch(/node:|\.ts|plugin-isolate/);
  });
});

describe('a plugin that floods the log', () => {
  it.each(['many', 'long', 'odd'])('is cut off and goes on: %s', async (does) => {
    lane = await startLane('flooding');
    const results = await Promise.all([lane.run(''), lane.run(does), lane.run('')]);
    expect(results.map(verdictOf)).toEqual(['proceed', 'proceed', 'proceed']);
    expect(lane.logLines.length).toBeLessThanOrEqual(64);
    expect(lane.logLines.every(({ message }) => message.length <= 8192)).toBe(true);
  });

  it('fails alone with what cannot be printed', async () => {
    lane = await startLane('flooding');
    const results = await Promise.all([lane.run(''), lane.run('unprintable')]);
    expect(results.map(verdictOf)).toEqual(['proceed', 'error']);
  });
});

describe('a plugin that returns objects with code in them', () => {
  it.each([
    ['getter', 'proceed'],
    ['thenable', 'proceed'],
    ['number', 'proceed'],
    ['failing thenable', 'error'],
    ['subclassed promise', 'error'],
    ['exit with a getter', 'error'],
    ['exit with a loop', 'error'],
    ['share a loop', 'error'],
    ['share a BigInt', 'error'],
    ['share a getter', 'error'],
    ['authenticate a getter', 'error'],
  ])('fails alone at most: %s', async (does, verdict) => {
    lane = await startLane('returning');
    const results = await Promise.all([lane.run(''), lane.run(does), lane.run('')]);
    expect(results.map(verdictOf)).toEqual(['proceed', verdict, 'proceed']);
    expect(lane.incidents).toEqual([]);
    expect(verdictOf(await lane.run(''))).toBe('proceed');
  });
});

describe('a plugin that replaces built-in functions', () => {
  it.each(['JSON.stringify', 'JSON.stringify to an object', 'JSON.parse', 'Map.prototype.get'])(
    'has no effect on those that every call depends on: %s',
    async (does) => {
      lane = await startLane('poisoning');
      const results = await Promise.all([lane.run('1'), lane.run(does), lane.run('2')]);
      expect(results.map(verdictOf)).toEqual(['proceed', 'proceed', 'proceed']);
      expect(lane.incidents).toEqual([]);
    },
  );

  it.each([
    'Array.prototype.join',
    'String.prototype.slice',
    'String.prototype.indexOf',
    'RegExp.prototype.test',
    'Promise.prototype.then',
    'Object.prototype',
    'tollgate',
  ])('harms neither other packages nor heads, and every call of its own ends: %s', async (does) => {
    lane = await startLane('poisoning', { phaseDeadlineMs: 1000 });
    const other = await startLane('poisoning');
    const results = await Promise.all([lane.run('1'), lane.run(does), lane.run('2'), other.run('3')]);
    const otherIncidents = other.incidents;
    other.end();
    expect(results).toHaveLength(4);
    expect(results.map(verdictOf).at(-1)).toBe('proceed');
    expect(otherIncidents).toEqual([]);
    for (const result of results) {
      if ('failure' in result) continue;
      for (const part of result.outcome.responseTriples ?? []) expect(part).not.toMatch(/[\r\n]/);
    }
  });
});

describe('a package that cannot be loaded', () => {
  it.each([
    ['loading-loop', /^timeout/],
    ['loading-throw', /not today/],
    ['loading-hoard', /^disposed/],
    ['loading-node', /there is no Node.js inside an isolate/],
    ['loading-nothing', /./],
  ])('is refused with a reason: %s', async (fixture, reason) => {
    await expect(
      startLane(fixture, { loadTimeoutMs: fixture === 'loading-loop' ? 100 : 10_000 }),
    ).rejects.toThrow(reason);
  });
});

function outcomeOf(result: CallResult | undefined) {
  if (result === undefined || !('outcome' in result))
    throw new Error(`no outcome: ${JSON.stringify(result)}`);
  return result.outcome;
}

function failureOf(result: CallResult | undefined) {
  return outcomeOf(result).failure;
}
