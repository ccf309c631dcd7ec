/** The dashboard asks for what gateways export: every metric, label and literal value, after traffic of all kinds. */
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from '../../e2e/support/start-proxy.ts';
import { findFreePort } from '../../support/free-port.ts';
import { readText, readYaml } from './repository-files.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

const dashboard = JSON.parse(readText('deploy/grafana/dashboards/tollgate.json')) as Dashboard;
const variables = dashboard.templating.list;
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

/** What Prometheus adds to every series, and the one metric it makes itself. */
const TARGET_LABELS = ['instance', 'job'];
const OWN_METRIC = 'up';

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

interface Query {
  readonly selectors: readonly { readonly metric: string; readonly matchers: readonly Matcher[] }[];
  readonly groupedBy: readonly string[];
  readonly errors: readonly string[];
}

/** With Grafana's variables filled in as it does before it asks Prometheus. */
function analyse(template: string): Query {
  const text = template.replaceAll('$__rate_interval', '1m').replace(/\$\w+/g, '.*');
  const selectors: { metric: string; matchers: Matcher[] }[] = [];
  const groupedBy: string[] = [];
  const errors: string[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      const own = text.slice(node.from, node.to);
      if (node.type.isError) errors.push(text.slice(Math.max(0, node.from - 20), node.to + 20));
      if (node.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      const selector = selectors.at(-1);
      if (node.name === 'Identifier' && selector !== undefined) selector.metric = own;
      if (node.name === 'LabelName' && node.matchContext(['GroupingLabels'])) groupedBy.push(own);
      if (node.name === 'UnquotedLabelMatcher') {
        const [, label = '', operator = '', value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(own) ?? [];
        selector?.matchers.push({ label, operator, value });
      }
    },
  });
  return { selectors, groupedBy, errors };
}

/** Metric → label → values, as the text format has them. */
type Exported = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

function readExposition(text: string): Exported {
  const exported = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n')) {
    const [, metric = '', pairs = ''] = /^([a-z]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (metric === '') continue;
    const labels = exported.get(metric) ?? new Map<string, Set<string>>();
    exported.set(metric, labels);
    for (const [, label = '', value = ''] of pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return exported;
}

describe('the dashboard', () => {
  let proxy: ProxyUnderTest;
  let exported: Exported;

  beforeAll(async () => {
    proxy = await startProxy();
    await proxy.write('POST', '/plugins', {
      name: 'prometheus',
      config: {
        status_code_metrics: true,
        latency_metrics: true,
        bandwidth_metrics: true,
        per_consumer: true,
      },
    });
    await proxy.write('POST', '/consumers', { username: 'customer' });
    await proxy.write('POST', '/consumers/customer/key-auth', { key: 'known' });
    const well = await proxy.expose();
    const broken = await proxy.expose({ host: '127.0.0.1', port: await findFreePort() });
    await proxy.write('POST', `/routes/${well.routeId}/plugins`, { name: 'key-auth' });
    await proxy.write('POST', `/routes/${well.routeId}/plugins`, {
      name: 'rate-limiting',
      config: { year: 1, policy: 'local' },
    });
    const headers = { apikey: 'known' };
    for (const expected of [200, 429]) {
      expect((await proxy.send(well.host, '/', { headers })).status).toBe(expected);
    }
    expect((await proxy.send(broken.host)).status).toBe(502);
    exported = await untilCounted();
  });
  afterAll(() => proxy?.stop());

  /** Finished requests are counted in batches. */
  async function untilCounted(): Promise<Exported> {
    for (;;) {
      const answer = await fetch(`${proxy.gateway.statusUrl}/metrics`);
      const now = readExposition(await answer.text());
      if (now.get('kong_http_requests_total')?.get('code')?.size === 3) return now;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('has queries to check', () => {
    expect(queries.length).toBeGreaterThan(20);
  });

  it.each(queries)('asks in PromQL for metrics and labels that there are: $title, $expr', ({ expr }) => {
    const { selectors, groupedBy, errors } = analyse(expr);
    expect(errors).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
    const known = new Set(TARGET_LABELS);
    for (const { metric, matchers } of selectors) {
      const labels = metric === OWN_METRIC ? new Map() : exported.get(metric);
      expect(labels, metric).toBeDefined();
      for (const label of labels?.keys() ?? []) known.add(label);
      for (const { label, operator, value } of matchers) {
        if (TARGET_LABELS.includes(label)) continue;
        const values: ReadonlySet<string> | undefined = labels?.get(label);
        expect(values, `${metric}{${label}}`).toBeDefined();
        if (operator === '=') expect(values).toContain(value);
        if (operator === '=~')
          expect([...(values ?? [])].join('\n')).toMatch(new RegExp(`^(?:${value})$`, 'm'));
        if (operator === '!=') expect([...(values ?? [])].some((one) => one !== value)).toBe(true);
      }
    }
    expect(groupedBy.filter((label) => !known.has(label))).toEqual([]);
  });

  it.each(queries)(
    'names in its legend what the query keeps: $title, $legendFormat',
    ({ expr, legendFormat }) => {
      const { selectors, groupedBy } = analyse(expr);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      const isGrouped = groupedBy.length > 0 || /^\w*(?:sum|min|max|histogram_quantile)\b/.test(expr);
      const kept = isGrouped
        ? groupedBy
        : selectors.flatMap(({ metric }) => [...(exported.get(metric)?.keys() ?? []), ...TARGET_LABELS]);
      expect(named.filter((label) => !kept.includes(label))).toEqual([]);
    },
  );

  it('fills its variables from metrics and labels that there are, and uses no others', () => {
    for (const { definition } of variables) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
      const isKnown = TARGET_LABELS.includes(label) || exported.get(metric)?.has(label) === true;
      expect([exported.has(metric), isKnown]).toEqual([true, true]);
    }
    const used = queries.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name));
    const known = [...variables.map(({ name }) => name), '__rate_interval'];
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('asks for the job that Prometheus is told to scrape', () => {
    const jobs = queries.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]*)"/g)].map(([, job]) => job));
    const { scrape_configs } = readYaml<{
      readonly scrape_configs: readonly { readonly job_name: string }[];
    }>('deploy/prometheus/prometheus.yml');
    expect(new Set(jobs)).toEqual(new Set(scrape_configs.map(({ job_name }) => job_name)));
  });

  it('is laid out without panels over each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const overlaps = panels.flatMap((one, at) =>
      panels
        .slice(at + 1)
        .filter(({ gridPos: b }) => {
          const a = one.gridPos;
          return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
        })
        .map((other) => `${one.title} and ${other.title}`),
    );
    expect(overlaps).toEqual([]);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});
