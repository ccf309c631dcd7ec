/** The lanes of a worker while packages come and go, with lanes that do nothing but remember. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ActivePackage, divideTraffic } from '../../../../core/data-plane/active-package.ts';
import { type Occasion, PackageLanes, type Stranger } from '../../../../core/data-plane/package-lanes.ts';
import { Strikes } from '../../../../core/data-plane/strikes.ts';
import { decodeMetricDeltas } from '../../../../core/sandbox/decode-metric-deltas.ts';
import type { PackageLane } from '../../../../core/sandbox/package-lane.ts';
import type { PluginArtefact } from '../../../../core/sandbox/plugin-artefact.ts';
import type { PackageManifest } from '../../../../sdk/protocol/manifest.ts';

const manifestOf = (name: string) =>
  ({ protocolVersion: 1, plugins: [{ name }] }) as unknown as PackageManifest;

const artefact = (name: string, version: string): PluginArtefact => ({
  format: 1,
  name,
  version,
  manifest: manifestOf(name),
  code: name,
  sourceMap: '',
  digest: `${name} ${version}`,
});

const active = (name: string, version: string, changes: Partial<ActivePackage> = {}): ActivePackage => ({
  name,
  current: artefact(name, version),
  previous: undefined,
  percent: 100,
  onError: 'fail',
  isolation: 'thread',
  ...changes,
});

function openLanes() {
  const broken = new Set<string>();
  const open = new Set<string>();
  const accuse = new Map<string, Stranger['onIncident']>();
  const createLane = ({ name }: { name: string }, _: number, stranger?: Stranger) => {
    if (broken.has(name)) throw new Error(`${name} is broken`);
    open.add(name);
    if (stranger) accuse.set(name, stranger.onIncident);
    return {
      name,
      manifest: manifestOf(name.split('@')[0] ?? ''),
      flush() {},
      drain: (_: number, done: () => void) => done(),
      rest() {},
      dropGeneration() {},
      collectMetrics: () => undefined,
      dispose: () => open.delete(name),
    } as unknown as PackageLane;
  };
  const lanes = new PackageLanes([{ name: 'bundled', code: '' }], {
    createLane,
    onUnavailable: () => {},
    onOverBudget: () => {},
    onQuarantine: () => {},
  });
  let generation = 0;
  /** As a worker does with what is arranged; returns the number of the plan. */
  const serve = async (packages: readonly ActivePackage[], occasion: Occasion = 'change') => {
    await lanes.prepare(packages, occasion);
    const shares = lanes.arrange(packages);
    generation++;
    for (const share of shares) lanes.configure(share, generation, () => {});
    return { generation, shares };
  };
  const nameAt = (number: number) => (lanes.byNumber[number] as unknown as { name: string }).name;
  return { lanes, broken, open, accuse, serve, nameAt };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('lanes of packages', () => {
  it('are kept until the last plan that names them has retired, and their numbers with them', async () => {
    const { lanes, open, serve, nameAt } = openLanes();
    const first = await serve([active('a', '1')]);
    const second = await serve([active('a', '2')]);
    lanes.sweep();
    expect([...(first.shares[0]?.lanes ?? [])].map(nameAt)).toEqual(['a@1']);
    expect([...(second.shares[0]?.lanes ?? [])].map(nameAt)).toEqual(['a@2']);
    lanes.retire(first.generation);
    await vi.runAllTimersAsync();
    expect([...open]).toEqual(['bundled', 'a@2']);
    const third = await serve([active('a', '3')]);
    expect(third.shares[0]?.lanes).toEqual(first.shares[0]?.lanes);
  });

  it('stay few, however many versions come and go', async () => {
    const { lanes, open, serve } = openLanes();
    let last = await serve([active('a', '0')]);
    for (let version = 1; version <= 1000; version++) {
      await lanes.stage({ artefact: artefact('a', `${version}`), isolation: 'thread' });
      const next = await serve([active('a', `${version}`)]);
      lanes.retire(last.generation);
      last = next;
    }
    await vi.runAllTimersAsync();
    expect(open.size).toBe(2);
    expect(lanes.byNumber.length).toBeLessThanOrEqual(3);
  });

  it('let go what was staged and never used', async () => {
    const { lanes, open, serve } = openLanes();
    await serve([active('a', '1')]);
    await lanes.stage({ artefact: artefact('a', '2'), isolation: 'thread' });
    expect(open.has('a@2')).toBe(true);
    await serve([active('a', '1')]);
    lanes.sweep();
    await vi.runAllTimersAsync();
    expect(open.has('a@2')).toBe(false);
  });

  it('change nothing when one of them does not load', async () => {
    const { lanes, broken, open, serve } = openLanes();
    const first = await serve([active('a', '1'), active('b', '1')]);
    broken.add('b@2');
    await expect(serve([active('a', '2'), active('b', '2')])).rejects.toThrow('b@2 is broken');
    expect((await serve([active('a', '1'), active('b', '1')])).shares).toEqual(first.shares);
    lanes.sweep();
    await vi.runAllTimersAsync();
    expect([...open]).toEqual(['bundled', 'a@1', 'b@1']);
  });

  it('refuse requests in place of what does not load at the start, until it does', async () => {
    const { lanes, broken, serve, nameAt } = openLanes();
    broken.add('a@1');
    const [share] = (await serve([active('a', '1')], 'start')).shares;
    const [number = -1] = share?.lanes ?? [];
    const heard: string[] = [];
    lanes.byNumber[number]?.submit('access', '', {
      onPhaseOutcome: () => heard.push('outcome'),
      onPhaseFailure: (reason) => heard.push(reason),
      readBody: async () => new Uint8Array(),
    });
    await vi.runAllTimersAsync();
    expect([heard, lanes.isIncomplete]).toEqual([['unavailable'], true]);
    broken.clear();
    const [again] = (await serve([active('a', '1')], 'retry')).shares;
    expect([...(again?.lanes ?? [])].map(nameAt)).toEqual(['a@1']);
    expect(lanes.isIncomplete).toBe(false);
  });

  it('are changed although another package is missing', async () => {
    const { lanes, broken, serve, nameAt } = openLanes();
    broken.add('a@1');
    const [share] = (await serve([active('a', '1'), active('b', '1')], 'start')).shares;
    const { shares } = await serve([active('a', '1'), active('b', '2')]);
    const [missing, loaded] = [...(shares[0]?.lanes ?? [])];
    expect([...(share?.lanes ?? [])][0]).toBe(missing);
    expect(nameAt(loaded ?? -1)).toBe('b@2');
    expect(lanes.isIncomplete).toBe(true);
  });

  it('shut out a package that cannot take its configuration time and again, and nobody else', async () => {
    const { lanes, serve } = openLanes();
    const { shares } = await serve([active('a', '1'), active('b', '1')]);
    const [share] = shares;
    const before = [...lanes.byNumber];
    const asked: string[] = [];
    for (let generation = 10; generation < 20; generation++) {
      if (share === undefined) throw new Error('no share');
      lanes.configure(share, generation, (_, __, given) => {
        asked.push(given?.name ?? 'bundled');
        if (given?.name === 'a') throw new Error('not today');
      });
    }
    expect(asked.filter((name) => name === 'a')).toHaveLength(3);
    expect(asked.filter((name) => name === 'b')).toHaveLength(10);
    expect(lanes.byNumber.map((lane, at) => lane === before[at])).toEqual([true, false, true]);
  });

  it('give way to a quarantine after too many strikes, and come back', async () => {
    const { lanes, accuse, serve } = openLanes();
    const [number = -1] = (await serve([active('a', '1')])).shares[0]?.lanes ?? [];
    const own = lanes.byNumber[number];
    for (let strike = 0; strike < 2; strike++) accuse.get('a@1')?.('timeout', '');
    for (let wait = 0; wait < 20; wait++) accuse.get('a@1')?.('deadline', '');
    expect(lanes.byNumber[number]).toBe(own);
    accuse.get('a@1')?.('memory', '');
    expect(lanes.byNumber[number]).not.toBe(own);
    await vi.runAllTimersAsync();
    expect(lanes.byNumber[number]).toBe(own);
  });
});

describe('traffic', () => {
  const describeShares = (packages: readonly ActivePackage[]) =>
    divideTraffic(packages).map(({ upToPercent, artefacts }) => [
      upToPercent,
      ...artefacts.map(({ digest }) => digest),
    ]);
  const onTrial = (name: string, percent: number) =>
    active(name, '2', { previous: artefact(name, '1'), percent });

  it.each([
    ['nothing', [], [[100]]],
    ['one version', [active('a', '1')], [[100, 'a 1']]],
    ['a version that is the first, whatever its share', [active('a', '1', { percent: 5 })], [[100, 'a 1']]],
    ['no request', [onTrial('a', 0)], [[100, 'a 1']]],
    ['all requests', [onTrial('a', 100)], [[100, 'a 2']]],
    [
      'two on trial',
      [onTrial('a', 10), onTrial('b', 50)],
      [
        [10, 'a 2', 'b 2'],
        [50, 'a 1', 'b 2'],
        [100, 'a 1', 'b 1'],
      ],
    ],
  ])('is divided among %s', (_, packages, expected) => {
    expect(describeShares(packages)).toEqual(expected);
  });
});

describe('strikes', () => {
  it('are too many only within a short time', () => {
    const strikes = new Strikes();
    for (let at = 0; at < 50; at++) expect(strikes.note(at * 6000)).toBe(0);
    const burst = Array.from({ length: 3 }, () => strikes.note(1_000_000));
    expect(burst).toEqual([0, 0, 10_000]);
    expect(strikes.count(1_000_000)).toBe(0);
  });

  it('cost more each time, one being enough soon after the last, until there were none for a while', () => {
    const strikes = new Strikes();
    const convict = (nowMs: number) => [strikes.note(nowMs), strikes.note(nowMs), strikes.note(nowMs)].at(-1);
    expect(convict(0)).toBe(10_000);
    expect([strikes.note(10_001), strikes.note(30_002), strikes.note(70_003)]).toEqual([
      20_000, 40_000, 80_000,
    ]);
    expect(strikes.note(70_003 + 80_000 + 80_001)).toBe(0);
  });

  it('never cost more than ten minutes', () => {
    const strikes = new Strikes();
    let nowMs = 0;
    let costMs = strikes.convict(nowMs);
    for (let again = 0; again < 20; again++) {
      nowMs += costMs + 1;
      costMs = strikes.note(nowMs);
    }
    expect(costMs).toBe(600_000);
  });
});

describe('what a stranger says it has counted', () => {
  const manifest = {
    protocolVersion: 1,
    plugins: [
      {
        metrics: {
          hits: { type: 'counter', help: '', labels: ['a', 'b'] },
          time: { type: 'histogram', help: '', labels: [], buckets: [1, 2] },
        },
      },
    ],
  } as unknown as PackageManifest;
  const decode = (deltas: unknown) => decodeMetricDeltas(JSON.stringify(deltas), manifest);

  it('is taken where it is of its own metrics', () => {
    const deltas = {
      counters: { hits: [['x\0y', 2]] },
      histograms: { time: [['', [1, 0, 3], 4.5]] },
      dropped: 1,
    };
    expect(decode(deltas)).toEqual({ ...deltas, usage: [] });
  });

  it.each([
    [{ counters: { kong_http_requests_total: [['', 1]] } }],
    [{ counters: { hits: [['x', 1]] } }],
    [{ counters: { hits: [['x\0y', -1]] } }],
    [{ counters: { hits: [['x\0y', '1']] } }],
    [{ counters: { hits: [null] } }],
    [{ histograms: { time: [['', [1, 2], 3]] } }],
    [{ histograms: { hits: [['', [1, 2, 3], 3]] } }],
  ])('is left out where it is not: %j', (deltas) => {
    const decoded = decode(deltas);
    expect(
      [...Object.values(decoded?.counters ?? {}), ...Object.values(decoded?.histograms ?? {})].flat(),
    ).toEqual([]);
    expect(decoded?.dropped).toBe(1);
  });

  it.each(['', 'null', '[]', '{"counters":'])('is ignored when it is %j', (json) => {
    const nothing = decodeMetricDeltas(json, manifest);
    expect(nothing === undefined || Object.keys(nothing.counters).length === 0).toBe(true);
  });
});
