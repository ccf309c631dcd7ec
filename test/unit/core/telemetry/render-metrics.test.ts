/** Metrics of plugins: added up over workers and written in the Prometheus text format. */
import { describe, expect, it } from 'vitest';
import { MetricTotals } from '../../../../core/telemetry/metric-totals.ts';
import { familiesOf, renderFamilies } from '../../../../core/telemetry/render-metrics.ts';

const DECLARATIONS = {
  requests: { type: 'counter', help: 'Requests', labels: ['route', 'code'] },
  latency: { type: 'histogram', help: 'Time', labels: ['route'], buckets: [1, 5] },
  unused: { type: 'counter', help: 'Never', labels: [] },
} as const;

function deltas(increment: number, counts: readonly number[], sum: number) {
  return {
    counters: { requests: [['a\x00200', increment]] as const },
    histograms: { latency: [['a', counts, sum]] as const },
    dropped: 1,
  };
}

describe('metrics', () => {
  it('are added up over collections', () => {
    const totals = new MetricTotals();
    totals.add(deltas(2, [1, 0, 1], 9));
    totals.add(deltas(3, [0, 2, 0], 4));
    expect(totals.counters('requests').get('a\x00200')).toBe(5);
    expect(totals.histograms('latency').get('a')).toEqual({ counts: [1, 2, 1], sum: 13 });
    expect(totals.dropped).toBe(2);
    expect(totals.counters('unknown').size).toBe(0);
  });

  it('are written family by family, buckets cumulative', () => {
    const totals = new MetricTotals();
    totals.add(deltas(2, [1, 2, 1], 13));
    expect(renderFamilies(familiesOf(DECLARATIONS, totals))).toBe(
      [
        '# HELP latency Time',
        '# TYPE latency histogram',
        'latency_bucket{route="a",le="1"} 1',
        'latency_bucket{route="a",le="5"} 3',
        'latency_bucket{route="a",le="+Inf"} 4',
        'latency_count{route="a"} 4',
        'latency_sum{route="a"} 13',
        '# HELP requests Requests',
        '# TYPE requests counter',
        'requests{route="a",code="200"} 2',
        '',
      ].join('\n'),
    );
  });

  it('escape what would end a label value', () => {
    const totals = new MetricTotals();
    totals.add({ counters: { requests: [['a"\\\nb\x00200', 1]] }, histograms: {}, dropped: 0 });
    expect(renderFamilies(familiesOf(DECLARATIONS, totals))).toContain(
      '{route="a\\"\\\\\\nb",code="200"} 1\n',
    );
  });
});
