/** The flags of `npm run bench`, checked and with their defaults. */
import { parseArgs } from 'node:util';
import { SCENARIO_NAMES, type ScenarioName } from './scenario.ts';
import { SUBJECT_NAMES, type SubjectName } from './subjects/subject.ts';

export interface BenchOptions {
  /** Measured seconds of one subject, scenario and round. */
  readonly seconds: number;
  /** Seconds of unmeasured load before each measurement. */
  readonly warmupSeconds: number;
  readonly connections: number;
  /** Worker processes or threads of each subject. */
  readonly workers: number;
  readonly rounds: number;
  readonly scenarios: readonly ScenarioName[];
  readonly subjects: readonly SubjectName[];
  /** Folder for the JSON and the chart; undefined stands for bench/results. */
  readonly outFolder: string | undefined;
  /** File name without extension; undefined stands for the date and time. */
  readonly name: string | undefined;
  /** Whether missing Debian packages may be installed (only ever done as root). */
  readonly install: boolean;
}

export const USAGE = `Usage: npm run bench -- [flags]
  --seconds N         measured seconds per subject, scenario and round (5)
  --warmup N          seconds of load before each measurement (2)
  --connections N     keep-alive connections (64)
  --workers N         workers of each subject (1)
  --rounds N          rounds; subjects take turns in each (3)
  --scenarios A,B     ${SCENARIO_NAMES.join(',')}
  --subjects A,B      ${SUBJECT_NAMES.join(',')}
  --out DIR           folder of the results (bench/results)
  --name NAME         name of the result files (date and time)
  --no-install        never install Debian packages
Environment: KONG_PROXY_URL and KONG_ADMIN_URL add a real Kong; see bench/README.md.`;

/** Throws an Error whose message is fit for the terminal when a flag is unknown or its value is out of range. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      seconds: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      workers: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      scenarios: { type: 'string', default: SCENARIO_NAMES.join(',') },
      subjects: { type: 'string', default: SUBJECT_NAMES.join(',') },
      out: { type: 'string' },
      name: { type: 'string' },
      'no-install': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.name !== undefined && !/^[\w.-]+$/.test(values.name)) {
    throw new Error('--name may hold letters, digits, dots, hyphens and underscores only');
  }
  return {
    seconds: readWhole('--seconds', values.seconds, 1, 300),
    warmupSeconds: readWhole('--warmup', values.warmup, 0, 60),
    connections: readWhole('--connections', values.connections, 1, 10_000),
    workers: readWhole('--workers', values.workers, 1, 256),
    rounds: readWhole('--rounds', values.rounds, 1, 100),
    scenarios: readChoices('--scenarios', values.scenarios, SCENARIO_NAMES),
    subjects: readChoices('--subjects', values.subjects, SUBJECT_NAMES),
    outFolder: values.out,
    name: values.name,
    install: !values['no-install'],
  };
}

function readWhole(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`${flag} takes a whole number from ${least} to ${most}, not '${text}'`);
}

/** Keeps the order of `known`, whatever the order given: it is the order of the table. */
function readChoices<Name extends string>(flag: string, text: string, known: readonly Name[]): Name[] {
  const given = text.split(',').filter((part) => part !== '');
  const unknown = given.find((part) => !known.some((name) => name === part));
  if (unknown !== undefined) throw new Error(`${flag}: '${unknown}' is none of ${known.join(', ')}`);
  if (given.length === 0) throw new Error(`${flag} takes at least one of ${known.join(', ')}`);
  return known.filter((name) => given.includes(name));
}
