/** Compares two stored runs by their ratios to nginx, the only figures that mean something across machines and days. */
import type { BenchResult } from './result-file.ts';
import type { ScenarioName } from './scenario.ts';
import { BASELINE, type SubjectName } from './subjects/subject.ts';
import { summarizeSamples } from './summarize-samples.ts';

/** `moved`: a subject that is not ours changed by more than the tolerance, so the machine is noisier than it. */
export type Verdict = 'same' | 'improved' | 'regressed' | 'moved';

export interface Change {
  readonly scenario: ScenarioName;
  readonly subject: SubjectName;
  /** CPU per request ÷ nginx's, medians. */
  readonly ratioBefore: number;
  readonly ratioAfter: number;
  readonly percent: number;
  readonly verdict: Verdict;
}

const OURS: SubjectName = 'tollgate';

/** Only what both runs measured; nginx itself is the yardstick and not listed. */
export function compareResults(before: BenchResult, after: BenchResult, tolerancePercent: number): Change[] {
  const rowsAfter = summarizeSamples(after.samples);
  return summarizeSamples(before.samples).flatMap(({ scenario, subject, cpuRatio }) => {
    const ratioAfter = rowsAfter.find(
      (row) => row.scenario === scenario && row.subject === subject,
    )?.cpuRatio;
    if (subject === BASELINE || !cpuRatio || !ratioAfter) return [];
    const percent = (ratioAfter.median / cpuRatio.median - 1) * 100;
    return {
      scenario,
      subject,
      ratioBefore: cpuRatio.median,
      ratioAfter: ratioAfter.median,
      percent,
      verdict: judge(subject, percent, tolerancePercent),
    };
  });
}

function judge(subject: SubjectName, percent: number, tolerancePercent: number): Verdict {
  if (Math.abs(percent) <= tolerancePercent) return 'same';
  if (subject !== OURS) return 'moved';
  return percent > 0 ? 'regressed' : 'improved';
}

export function renderComparison(changes: readonly Change[], tolerancePercent: number): string {
  const lines = changes.map(
    ({ scenario, subject, ratioBefore, ratioAfter, percent, verdict }) =>
      `${scenario}  ${subject}: ${ratioBefore.toFixed(2)} → ${ratioAfter.toFixed(2)} × nginx (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %) ${verdict}`,
  );
  const hasMoved = changes.some(({ verdict }) => verdict === 'moved');
  const warning = `A reference moved by more than ${tolerancePercent} %: the machine is noisier than the tolerance, repeat with more rounds.`;
  return [...lines, ...(hasMoved ? [warning] : [])].join('\n');
}
