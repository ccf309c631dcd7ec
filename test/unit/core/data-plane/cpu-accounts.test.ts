/** CPU time of packages: whose it was, and whether it was too much. */
import { describe, expect, it } from 'vitest';
import { CpuBudget } from '../../../../core/data-plane/cpu-budget.ts';
import { CpuDivision } from '../../../../core/data-plane/divide-cpu.ts';
import { decodeMetricDeltas } from '../../../../core/sandbox/decode-metric-deltas.ts';
import { PLUGIN_CPU_METRIC } from '../../../../core/telemetry/sandbox-metrics.ts';
import type { PackageManifest } from '../../../../sdk/protocol/manifest.ts';

describe('the CPU time of a package', () => {
  const sharesOf =
    (...given: Parameters<CpuDivision['divide']>) =>
    (division: CpuDivision) =>
      division.divide(...given)?.counters[PLUGIN_CPU_METRIC];

  it('is divided as its handlers were timed', () => {
    const division = new CpuDivision();
    const timed = [
      ['a', 'access', 3],
      ['b', 'log', 1],
    ] as const;
    expect(sharesOf(timed, 8)(division)).toEqual([
      ['a\0access', 6],
      ['b\0log', 2],
    ]);
  });

  it('is divided as it was so far where nothing was timed', () => {
    const division = new CpuDivision();
    division.divide([['a', 'access', 1]], 1);
    division.divide([['b', 'access', 3]], 2);
    expect(sharesOf([], 4)(division)).toEqual([
      ['a\0access', 0.5],
      ['b\0access', 1.5],
    ]);
  });

  it('waits for something to be timed', () => {
    const division = new CpuDivision();
    expect(sharesOf([], 2)(division)).toBeUndefined();
    expect(sharesOf([['a', 'log', 1]], 3)(division)).toEqual([['a\0log', 3]]);
    expect(sharesOf([['a', 'log', 1]], 3)(division)).toBeUndefined();
  });

  it('is too much where a second holds more of it than it may', () => {
    const budget = new CpuBudget();
    expect(budget.isExceeded(7, 1000, 500)).toBe(false);
    expect(budget.isExceeded(7.9, 3000, 500)).toBe(false);
    expect(budget.isExceeded(8.5, 4000, 500)).toBe(true);
    expect(budget.isExceeded(8.5, 5000, 500)).toBe(false);
  });
});

it('takes a stranger for its own plugins alone', () => {
  const manifest = {
    protocolVersion: 1,
    plugins: [{ name: 'mine', metrics: {} }],
  } as unknown as PackageManifest;
  const usage = [
    ['mine', 'access', 1],
    ['key-auth', 'access', 1],
    ['mine', 'lunch', 1],
    ['mine', 'log', -1],
    ['mine', 'log', '1'],
    null,
  ];
  expect(decodeMetricDeltas(JSON.stringify({ usage }), manifest)?.usage).toEqual([['mine', 'access', 1]]);
  expect(decodeMetricDeltas('{"usage":7}', manifest)?.usage).toEqual([]);
});
