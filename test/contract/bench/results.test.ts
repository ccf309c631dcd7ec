/** From samples to medians, ratios, table, chart and comparison. */
import { describe, expect, it } from 'vitest';
import { countConsumerRequests } from '../../../bench/check-answers.ts';
import { compareResults, renderComparison } from '../../../bench/compare-results.ts';
import { renderChart } from '../../../bench/render-chart.ts';
import { renderTable } from '../../../bench/render-table.ts';
import type { BenchResult, Sample } from '../../../bench/result-file.ts';
import { measureSpread, summarizeSamples } from '../../../bench/summarize-samples.ts';

const usage = (cpuMicrosPerRequest: number) => ({
  cpuMicrosPerRequest,
  coresBusy: 1,
  residentBytes: 50_000_000,
});

function sample(subject: Sample['subject'], round: number, cpuMicros: number | null): Sample {
  return {
    subject,
    scenario: 'plain',
    round,
    requests: 1_000,
    requestsPerSecond: 1_000 * round,
    p50Ms: 1,
    p99Ms: 2,
    failures: 0,
    usage: cpuMicros === null ? null : usage(cpuMicros),
    parts: {},
  };
}

function resultOf(samples: readonly Sample[]): BenchResult {
  return {
    format: 1,
    takenAt: '2026-01-01T00:00:00.000Z',
    commit: 'abc1234',
    machine: {},
    load: {},
    versions: {},
    leftOut: {},
    samples,
  };
}

const ROUNDS = [
  sample('nginx', 1, 20),
  sample('tollgate', 1, 30),
  sample('nginx', 2, 40),
  sample('tollgate', 2, 64),
  sample('nginx', 3, 20),
  sample('tollgate', 3, 28),
];

describe('the summary of a run', () => {
  it('takes the ratio to nginx within each round, and then the median', () => {
    const row = summarizeSamples(ROUNDS).find(({ subject }) => subject === 'tollgate');
    expect(row?.cpuRatio).toEqual({ median: 1.5, least: 1.4, most: 1.6 });
    expect(row?.cpuMicros).toEqual({ median: 30, least: 28, most: 64 });
  });

  it('has no CPU figures for a subject whose processes cannot be seen', () => {
    const [, row] = summarizeSamples([sample('nginx', 1, 20), sample('kong', 1, null)]);
    expect(row).toMatchObject({ subject: 'kong', cpuMicros: undefined, cpuRatio: undefined });
  });

  it('has no ratios without nginx', () => {
    expect(summarizeSamples([sample('tollgate', 1, 30)])[0]?.cpuRatio).toBeUndefined();
  });

  it('takes the mean of the two middle values of an even number', () => {
    expect(measureSpread([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 });
  });
});

describe('the table', () => {
  it('shows medians with least and most, and parts of a subject below it', () => {
    const withParts = ROUNDS.map((one) =>
      one.subject === 'nginx' ? one : { ...one, parts: { control: usage(1), 'data plane': usage(29) } },
    );
    const lines = renderTable(summarizeSamples(withParts)).split('\n');
    expect(lines[3]).toMatch(
      /\| plain +\| tollgate +\|.* 30\.0 \(28\.0–64\.0\) \| 1\.50 \(1\.40–1\.60\) \| +50 \| +0 \|/,
    );
    expect(lines[4]).toMatch(/\| · control +\|.* 1\.0 \|/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('shows a dash for what could not be measured', () => {
    expect(renderTable(summarizeSamples([sample('kong', 1, null)]))).toMatch(/–.*–.*–/);
  });
});

describe('the chart', () => {
  const svg = renderChart(summarizeSamples([...ROUNDS, sample('kong', 1, null)]), 'a & b <c>');

  it('holds one bar for each subject whose CPU is known', () => {
    expect(svg.match(/<rect class="(bar|own)"/g)).toHaveLength(2);
    expect(svg).toContain('30.0 µs · 1.50 ×');
  });

  it('is readable in light and dark and escapes its caption', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('a &amp; b &lt;c&gt;');
  });

  it('keeps every bar within the picture', () => {
    const ends = [...svg.matchAll(/<line class="range" x1="([\d.]+)" x2="([\d.]+)"/g)].map((found) =>
      Number(found[2]),
    );
    expect(Math.max(...ends)).toBeLessThanOrEqual(760);
  });
});

describe('the comparison of two runs', () => {
  const slower = ROUNDS.map((one) =>
    one.subject === 'nginx' || !one.usage
      ? one
      : { ...one, usage: usage(one.usage.cpuMicrosPerRequest * 1.2) },
  );

  it('says which scenario regressed by more than the tolerance', () => {
    const [change] = compareResults(resultOf(ROUNDS), resultOf(slower), 10);
    expect(change).toMatchObject({ scenario: 'plain', subject: 'tollgate', verdict: 'regressed' });
    expect(change?.percent).toBeCloseTo(20);
  });

  it('is content within the tolerance, and glad beyond it', () => {
    expect(compareResults(resultOf(ROUNDS), resultOf(slower), 25)[0]?.verdict).toBe('same');
    expect(compareResults(resultOf(slower), resultOf(ROUNDS), 10)[0]?.verdict).toBe('improved');
  });

  it('distrusts the machine when another subject moved', () => {
    const rename = (one: Sample): Sample =>
      one.subject === 'nginx' ? one : { ...one, subject: 'nginx-lua' };
    const changes = compareResults(resultOf(ROUNDS.map(rename)), resultOf(slower.map(rename)), 10);
    expect(changes[0]?.verdict).toBe('moved');
    expect(renderComparison(changes, 10)).toContain('noisier than the tolerance');
  });

  it('leaves out what only one run measured', () => {
    expect(compareResults(resultOf(ROUNDS), resultOf([sample('nginx', 1, 20)]), 10)).toEqual([]);
  });
});

describe('the metrics of a subject', () => {
  it('are summed over all samples of the consumer', () => {
    const text = [
      '# TYPE kong_http_requests_total counter',
      'kong_http_requests_total{service="bench-three",code="200",consumer="bench-consumer"} 40',
      'kong_http_requests_total{service="bench-three",code="500",consumer="bench-consumer"} 2',
      'kong_http_requests_total{service="bench-three",code="401",consumer=""} 7',
      'kong_bandwidth_bytes{service="bench-three",consumer="bench-consumer"} 9000',
    ].join('\n');
    expect(countConsumerRequests(text)).toBe(42);
  });
});
