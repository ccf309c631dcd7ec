/** Turns the samples of a run into one row per scenario and subject: medians, spread and ratios to the baseline. */
import type { Sample, Usage } from './result-file.ts';
import { SCENARIO_NAMES, type ScenarioName } from './scenario.ts';
import { BASELINE, SUBJECT_NAMES, type SubjectName } from './subjects/subject.ts';

/** Undefined members could not be measured. */
export interface SummaryRow {
  readonly scenario: ScenarioName;
  readonly subject: SubjectName;
  readonly requestsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly failures: number;
  readonly cpuMicros: Spread | undefined;
  /** CPU per request ÷ the baseline's in the same round and scenario. */
  readonly cpuRatio: Spread | undefined;
  readonly residentBytes: Spread | undefined;
  readonly parts: readonly PartRow[];
}

export interface PartRow {
  readonly part: string;
  readonly cpuMicros: Spread;
  readonly residentBytes: Spread;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function summarizeSamples(samples: readonly Sample[]): SummaryRow[] {
  return SCENARIO_NAMES.flatMap((scenario) =>
    SUBJECT_NAMES.flatMap((subject) => {
      const own = samples.filter((sample) => sample.scenario === scenario && sample.subject === subject);
      return own.length === 0 ? [] : [summarizeRow(scenario, subject, own, samples)];
    }),
  );
}

function summarizeRow(
  scenario: ScenarioName,
  subject: SubjectName,
  own: readonly Sample[],
  all: readonly Sample[],
): SummaryRow {
  const usages = own.flatMap((sample) => sample.usage ?? []);
  return {
    scenario,
    subject,
    requestsPerSecond: measureSpread(own.map((sample) => sample.requestsPerSecond)),
    p50Ms: measureSpread(own.map((sample) => sample.p50Ms)),
    p99Ms: measureSpread(own.map((sample) => sample.p99Ms)),
    failures: own.reduce((sum, sample) => sum + sample.failures, 0),
    cpuMicros: spreadUnlessEmpty(usages.map((usage) => usage.cpuMicrosPerRequest)),
    cpuRatio: spreadUnlessEmpty(own.flatMap((sample) => ratioToBaseline(sample, all) ?? [])),
    residentBytes: spreadUnlessEmpty(usages.map((usage) => usage.residentBytes)),
    parts: summarizeParts(own),
  };
}

function ratioToBaseline(sample: Sample, all: readonly Sample[]): number | undefined {
  const baseline = all.find(
    (other) =>
      other.subject === BASELINE && other.scenario === sample.scenario && other.round === sample.round,
  );
  if (!sample.usage || !baseline?.usage) return undefined;
  return sample.usage.cpuMicrosPerRequest / baseline.usage.cpuMicrosPerRequest;
}

function summarizeParts(own: readonly Sample[]): PartRow[] {
  const names = [...new Set(own.flatMap((sample) => Object.keys(sample.parts)))];
  return names.map((part) => {
    const usages: Usage[] = own.flatMap((sample) => sample.parts[part] ?? []);
    return {
      part,
      cpuMicros: measureSpread(usages.map((usage) => usage.cpuMicrosPerRequest)),
      residentBytes: measureSpread(usages.map((usage) => usage.residentBytes)),
    };
  });
}

function spreadUnlessEmpty(values: readonly number[]): Spread | undefined {
  return values.length === 0 ? undefined : measureSpread(values);
}

/** Expects at least one value. Of an even number, the median is the mean of the two in the middle. */
export function measureSpread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}
