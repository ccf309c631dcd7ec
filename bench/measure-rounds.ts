/** The measuring itself: subjects take turns in every round, so that a slow minute of the machine hits them all. */

import type { LoadGenerator } from './load-generator.ts';
import type { BenchOptions } from './options.ts';
import { readProcessStat, readResidentBytes } from './process-usage.ts';
import type { Sample, Usage } from './result-file.ts';
import { headersOf, SCENARIO_PATHS, type ScenarioName } from './scenario.ts';
import type { RunningSubject, SubjectName } from './subjects/subject.ts';
import type { Upstream } from './upstream.ts';

/** A subject that keeps its connections to the upstream alive stays far below. */
const CONNECTIONS_PER_REQUEST_LIMIT = 0.05;

export interface Contestant {
  readonly name: SubjectName;
  readonly scenarios: readonly ScenarioName[];
  readonly running: RunningSubject;
}

export interface Measuring {
  readonly contestants: readonly Contestant[];
  readonly upstream: Upstream;
  readonly generator: LoadGenerator;
  readonly options: BenchOptions;
  readonly signal: AbortSignal;
  onSample(sample: Sample): void;
}

export async function measureRounds(measuring: Measuring): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 1; round <= measuring.options.rounds; round += 1) {
    for (const scenario of measuring.options.scenarios) {
      for (const contestant of measuring.contestants.filter((one) => one.scenarios.includes(scenario))) {
        const sample = await measureOnce(contestant, scenario, round, measuring);
        measuring.onSample(sample);
        samples.push(sample);
      }
    }
  }
  return samples;
}

interface ProcessReading {
  readonly part: string;
  readonly cpuMicros: number;
}

async function measureOnce(
  { name, running }: Contestant,
  scenario: ScenarioName,
  round: number,
  { upstream, generator, options, signal }: Measuring,
): Promise<Sample> {
  const load = {
    url: `${running.proxyUrl}${SCENARIO_PATHS[scenario]}`,
    headers: headersOf(scenario),
    connections: options.connections,
    signal,
  };
  if (options.warmupSeconds > 0) await generator.run({ ...load, seconds: options.warmupSeconds });
  const connectionsBefore = await upstream.countConnections();
  const before = readProcesses(running);
  const startedAtMs = performance.now();
  const report = await generator.run({ ...load, seconds: options.seconds });
  const elapsedMicros = (performance.now() - startedAtMs) * 1_000;
  const after = readProcesses(running);
  requireSameProcesses(name, before, after);
  requireKeepAlive(name, ((await upstream.countConnections()) - connectionsBefore) / report.requests);
  const usageOf = (pids: readonly number[]): Usage => {
    const cpuMicros = pids.reduce(
      (sum, pid) => sum + (after.get(pid)?.cpuMicros ?? 0) - (before.get(pid)?.cpuMicros ?? 0),
      0,
    );
    return {
      cpuMicrosPerRequest: cpuMicros / report.requests,
      coresBusy: cpuMicros / elapsedMicros,
      residentBytes: pids.reduce((sum, pid) => sum + readResidentBytes(pid), 0),
    };
  };
  const pids = [...after.keys()];
  const parts = [...new Set([...after.values()].map(({ part }) => part))];
  return {
    subject: name,
    scenario,
    round,
    ...report,
    usage: pids.length === 0 ? null : usageOf(pids),
    parts:
      parts.length < 2
        ? {}
        : Object.fromEntries(
            parts.map((part) => [part, usageOf(pids.filter((pid) => after.get(pid)?.part === part))]),
          ),
  };
}

function readProcesses(running: RunningSubject): Map<number, ProcessReading> {
  return new Map(
    running.processes().flatMap(({ pid, part }) => {
      const stat = readProcessStat(pid);
      return stat === undefined ? [] : [[pid, { part, cpuMicros: stat.cpuMicros }] as const];
    }),
  );
}

/** A new connection for each request costs several times the proxying itself: a mistake in its configuration. */
function requireKeepAlive(name: SubjectName, connectionsPerRequest: number): void {
  if (connectionsPerRequest <= CONNECTIONS_PER_REQUEST_LIMIT) return;
  throw new Error(
    `${name} opened ${connectionsPerRequest.toFixed(2)} upstream connections a request: it does not keep them alive`,
  );
}

/** What a process used dies with it, so a figure taken across an end would be too small. New ones are counted whole. */
function requireSameProcesses(
  name: SubjectName,
  before: ReadonlyMap<number, ProcessReading>,
  after: ReadonlyMap<number, ProcessReading>,
): void {
  const lost = [...before].find(([pid]) => !after.has(pid));
  if (lost !== undefined) throw new Error(`a process of ${name} (${lost[1].part}) ended under load`);
}
