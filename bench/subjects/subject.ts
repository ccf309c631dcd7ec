/** What a program must offer to be measured beside the others. */
import type { ScenarioName } from '../scenario.ts';

export const SUBJECT_NAMES = ['nginx', 'nginx-lua', 'tollgate', 'tollgate-traced', 'kong'] as const;
export type SubjectName = (typeof SUBJECT_NAMES)[number];

/** The subject all ratios are taken against. */
export const BASELINE: SubjectName = 'nginx';

export interface SubjectSettings {
  /** Folder of its own for configuration, logs and data; removed after the run. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly workers: number;
}

export interface Subject {
  readonly name: SubjectName;
  /** The baseline takes both scenarios, without plugins: it is what the others are divided by. */
  readonly scenarios: readonly ScenarioName[];
  /** Throws, with what the program printed, when it does not come up. */
  start(settings: SubjectSettings): Promise<RunningSubject>;
}

/** A part of a subject that is accounted for on its own, such as `data plane`. */
export interface SubjectProcess {
  readonly pid: number;
  readonly part: string;
}

export interface RunningSubject {
  readonly version: string;
  /** Origin of the proxy, e.g. `http://127.0.0.1:8000`. */
  readonly proxyUrl: string;
  /** Where it reports requests per consumer after the run; undefined when it does not do such work. */
  readonly metricsUrl: string | undefined;
  /** Processes now running. Empty when they cannot be seen from here: CPU and memory are then unknown. */
  processes(): readonly SubjectProcess[];
  /** The end of what it has printed, to explain a failure; empty when somebody else started it. */
  readOutput(): string;
  stop(): Promise<void>;
}

/** A subject that cannot take part on this machine; the message says why and what would help. */
export class SubjectUnavailable extends Error {}
