/** What a run stores, and reading it back. */
import { readFileSync } from 'node:fs';
import { SCENARIO_NAMES, type ScenarioName } from './scenario.ts';
import { SUBJECT_NAMES, type SubjectName } from './subjects/subject.ts';

/** Grows when older readers could misread a file. */
export const RESULT_FORMAT = 1;

/** One subject under one scenario in one round. */
export interface Sample {
  readonly subject: SubjectName;
  readonly scenario: ScenarioName;
  /** Counted from 1. */
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** All processes of the subject together; null when they cannot be seen. */
  readonly usage: Usage | null;
  /** The same for each part, when there is more than one. */
  readonly parts: Readonly<Record<string, Usage>>;
}

export interface Usage {
  readonly cpuMicrosPerRequest: number;
  /** Mean number of cores kept busy. */
  readonly coresBusy: number;
  /** Resident at the end of the load. Pages that processes share count once for each. */
  readonly residentBytes: number;
}

export interface BenchResult {
  readonly format: typeof RESULT_FORMAT;
  /** ISO 8601. */
  readonly takenAt: string;
  /** Short commit hash, with `-dirty` when files differ from it; null outside a repository. */
  readonly commit: string | null;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly load: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** Subject → why it took no part. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

/** Throws when the file is not a stored result of this format. */
export function readResultFile(path: string): BenchResult {
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isBenchResult(content)) throw new Error(`${path} is not a bench result of format ${RESULT_FORMAT}`);
  return content;
}

function isBenchResult(content: unknown): content is BenchResult {
  if (typeof content !== 'object' || content === null) return false;
  if (!('format' in content) || content.format !== RESULT_FORMAT) return false;
  return 'samples' in content && Array.isArray(content.samples) && content.samples.every(isSample);
}

function isSample(sample: unknown): sample is Sample {
  if (typeof sample !== 'object' || sample === null) return false;
  return (
    'subject' in sample &&
    SUBJECT_NAMES.some((name) => name === sample.subject) &&
    'scenario' in sample &&
    SCENARIO_NAMES.some((name) => name === sample.scenario) &&
    'round' in sample &&
    'usage' in sample
  );
}
