/** What a stranger's package says it has counted: taken as far as it is of the metrics it has declared. Pure. */
import { type MetricDeclaration, type PackageManifest, PHASE_NAMES } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas, PhaseUsage } from '../../sdk/protocol/metric-deltas.ts';

/** A guest of ours keeps to fewer; this bounds one that has replaced its runtime. */
const MAX_SERIES = 1000;
const MAX_LABELS_LENGTH = 4096;

type Mutable = { -readonly [Member in keyof MetricDeltas]: MetricDeltas[Member] };

/** Everything else is left out and counted as dropped. Undefined when it is not even JSON. */
export function decodeMetricDeltas(json: string, manifest: PackageManifest): MetricDeltas | undefined {
  const given = parse(json);
  if (given === undefined) return undefined;
  const declared = new Map(manifest.plugins.flatMap(({ metrics }) => Object.entries(metrics)));
  const found: Mutable = { counters: {}, histograms: {}, dropped: 0 };
  found.dropped = isCount(given['dropped']) ? given['dropped'] : 0;
  found.counters = takeSeries(given['counters'], declared, 'counter', isCounterSeries, found);
  found.histograms = takeSeries(given['histograms'], declared, 'histogram', isHistogramSeries, found);
  found.usage = takeUsage(given['usage'], manifest);
  return found;
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isPlain(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function takeSeries<Series>(
  given: unknown,
  declared: ReadonlyMap<string, MetricDeclaration>,
  type: MetricDeclaration['type'],
  accepts: (series: unknown, declaration: MetricDeclaration) => series is Series,
  found: Mutable,
): Record<string, readonly Series[]> {
  const taken: Record<string, readonly Series[]> = {};
  for (const [name, list] of Object.entries(isPlain(given) ? given : {})) {
    const declaration = declared.get(name);
    const all = Array.isArray(list) ? list : [];
    if (declaration?.type !== type) {
      found.dropped += all.length;
      continue;
    }
    const kept = all.slice(0, MAX_SERIES).filter((series) => accepts(series, declaration));
    found.dropped += all.length - kept.length;
    taken[name] = kept;
  }
  return taken;
}

type CounterSeries = readonly [labels: string, increment: number];
type HistogramSeries = readonly [labels: string, counts: readonly number[], sum: number];

const isCounterSeries = (series: unknown, { labels }: MetricDeclaration): series is CounterSeries =>
  Array.isArray(series) && hasLabels(series[0], labels) && isCount(series[1]);

function isHistogramSeries(series: unknown, declaration: MetricDeclaration): series is HistogramSeries {
  if (!Array.isArray(series) || !hasLabels(series[0], declaration.labels)) return false;
  const [, counts, sum] = series;
  const expected = (declaration.buckets ?? []).length + 1;
  return Array.isArray(counts) && counts.length === expected && counts.every(isCount) && Number.isFinite(sum);
}

/** Label values are joined by NUL. */
function hasLabels(text: unknown, names: readonly string[]): boolean {
  if (typeof text !== 'string' || text.length > MAX_LABELS_LENGTH) return false;
  return names.length === 0 ? text === '' : text.split('\0').length === names.length;
}

function takeUsage(given: unknown, { plugins }: PackageManifest): readonly PhaseUsage[] {
  const names = new Set(plugins.map(({ name }) => name));
  const isUsage = (each: unknown): each is PhaseUsage =>
    Array.isArray(each) && names.has(each[0]) && PHASE_NAMES.includes(each[1]) && isCount(each[2]);
  return (Array.isArray(given) ? given : []).slice(0, MAX_SERIES).filter(isUsage);
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
