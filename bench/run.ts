/** `npm run bench`: starts the subjects side by side, measures them in turns, prints a table, stores JSON and a chart. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { checkAnswers, checkMetrics } from './check-answers.ts';
import { describeMachine, readCommit } from './describe-machine.ts';
import { installPackages } from './install-packages.ts';
import { findLoadGenerator } from './load-generator.ts';
import { type Contestant, measureRounds } from './measure-rounds.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { renderChart } from './render-chart.ts';
import { renderTable } from './render-table.ts';
import { type BenchResult, RESULT_FORMAT, type Sample } from './result-file.ts';
import { isKongGiven, kongSubject } from './subjects/kong-subject.ts';
import { nginxLuaSubject, nginxSubject } from './subjects/nginx-subjects.ts';
import { BASELINE, type Subject, SubjectUnavailable } from './subjects/subject.ts';
import { tollgateSubject, tracedTollgateSubject } from './subjects/tollgate-subject.ts';
import { summarizeSamples } from './summarize-samples.ts';
import { startUpstream } from './upstream.ts';

const SUBJECTS: readonly Subject[] = [
  nginxSubject,
  nginxLuaSubject,
  tollgateSubject,
  tracedTollgateSubject,
  kongSubject,
];

/** Undone in reverse order, whatever happens. */
type Undo = () => Promise<void> | void;

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code: 0 measured, 1 failed, 2 wrong usage, 130 interrupted. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'number') return options;
  if (process.platform !== 'linux') {
    console.error('The bench reads CPU time from /proc, which only Linux has.');
    return 2;
  }
  if (options.install) await installPackages();
  const interruption = listenForInterruption();
  const undoing: Undo[] = [];
  try {
    const result = await runBench(options, interruption, undoing);
    return report(result, options);
  } catch (error) {
    if (interruption.aborted) {
      console.error('Interrupted.');
      return 130;
    }
    console.error(describeFailure(error));
    return 1;
  } finally {
    for (const undo of undoing.reverse()) {
      await Promise.resolve(undo()).catch((error: unknown) => console.error(describeFailure(error)));
    }
  }
}

function readOptions(args: readonly string[]): BenchOptions | number {
  try {
    const options = parseOptions(args);
    if (options !== 'help') return options;
    console.log(USAGE);
    return 0;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return 2;
  }
}

/** The first signal ends the run in good order, the second one at once. */
function listenForInterruption(): AbortSignal {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(130);
      interruption.abort();
    });
  }
  return interruption.signal;
}

async function runBench(options: BenchOptions, signal: AbortSignal, undoing: Undo[]): Promise<BenchResult> {
  const generator = findLoadGenerator();
  const machine = describeMachine();
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  undoing.push(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = await startUpstream(
    join(folder, 'upstream'),
    isKongGiven() && process.env['KONG_UPSTREAM_HOST'] ? '0.0.0.0' : '127.0.0.1',
  );
  undoing.push(upstream.stop);

  const leftOut: Record<string, string> = {};
  const contestants: Contestant[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => options.subjects.includes(name))) {
    signal.throwIfAborted();
    try {
      const running = await subject.start({
        folder: join(folder, subject.name),
        upstreamPort: upstream.port,
        workers: options.workers,
      });
      undoing.push(running.stop);
      contestants.push({ ...subject, running });
    } catch (error) {
      if (!(error instanceof SubjectUnavailable)) throw error;
      leftOut[subject.name] = error.message;
      console.error(`${subject.name} is left out: ${error.message}.`);
    }
  }
  for (const { name, scenarios, running } of contestants) {
    for (const scenario of options.scenarios.filter((one) => scenarios.includes(one))) {
      await checkAnswers(name, running, scenario).catch((error: unknown) => {
        throw new Error(`${name} does not do its work in ${scenario}\n${running.readOutput()}`, {
          cause: error,
        });
      });
    }
  }
  console.error(announce(options, contestants, generator.name));
  const samples = await measureRounds({
    contestants,
    upstream,
    generator,
    options,
    signal,
    onSample: printProgress,
  });
  await checkWorkDone(contestants, samples);
  return {
    format: RESULT_FORMAT,
    takenAt: new Date().toISOString(),
    commit: readCommit(),
    machine,
    load: {
      generator: generator.name,
      upstream: upstream.kind,
      connections: options.connections,
      workers: options.workers,
      secondsPerSample: options.seconds,
      warmupSeconds: options.warmupSeconds,
      rounds: options.rounds,
    },
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(contestants.map(({ name, running }) => [name, running.version])),
    },
    leftOut,
    samples,
  };
}

function announce(options: BenchOptions, contestants: readonly Contestant[], generator: string): string {
  const turns = options.scenarios.reduce(
    (sum, scenario) => sum + contestants.filter(({ scenarios }) => scenarios.includes(scenario)).length,
    0,
  );
  const seconds = turns * options.rounds * (options.seconds + options.warmupSeconds);
  return `${contestants.map(({ name }) => name).join(', ')}: ${options.rounds} rounds with ${generator}, about ${seconds} s.`;
}

function printProgress({ round, scenario, subject, requestsPerSecond, usage, failures }: Sample): void {
  const cpu = usage ? `${usage.cpuMicrosPerRequest.toFixed(1)} µs CPU a request` : 'CPU unknown';
  const failed = failures > 0 ? `, ${failures} FAILED` : '';
  console.error(
    `round ${round}  ${scenario}  ${subject}: ${requestsPerSecond.toFixed(0)} requests/s, ${cpu}${failed}`,
  );
}

/** A subject that skipped its metrics would look cheaper than it is. */
async function checkWorkDone(contestants: readonly Contestant[], samples: readonly Sample[]): Promise<void> {
  for (const { name, running } of contestants) {
    if (name === BASELINE || running.metricsUrl === undefined) continue;
    const answered = samples
      .filter(({ subject, scenario }) => subject === name && scenario === 'three-plugins')
      .reduce((sum, { requests }) => sum + requests, 0);
    if (answered > 0) await checkMetrics(name, running.metricsUrl, answered);
  }
}

/** Prints and stores; 1 when any request failed, because such figures mean nothing. */
function report(result: BenchResult, options: BenchOptions): number {
  const rows = summarizeSamples(result.samples);
  console.log(renderTable(rows));
  warnAboutIdleness(result);
  const failures = result.samples.reduce((sum, sample) => sum + sample.failures, 0);
  if (failures > 0) {
    console.error(`${failures} requests failed: this run means nothing and is not stored.`);
    return 1;
  }
  const folder = options.outFolder ?? join(import.meta.dirname, 'results');
  const name = options.name ?? result.takenAt.slice(0, 16).replace(/[:T]/g, '-');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(`${file}.svg`, renderChart(rows, describeRun(result)));
  console.log(`Stored in ${relative(process.cwd(), file)}.json and .svg`);
  return 0;
}

/** A subject that waits for the others wakes up more often for less work, which costs CPU of its own. */
function warnAboutIdleness({ samples, load }: BenchResult): void {
  const waiting = samples.filter(({ usage }) => usage && usage.coresBusy < 0.8 * Number(load['workers']));
  if (waiting.length === 0) return;
  console.error(
    `In ${waiting.length} of ${samples.length} samples the subject was busy for less than 80 % of its cores: the load, the upstream or another program took them. Compare ratios only.`,
  );
}

function describeRun({ takenAt, commit, machine, load }: BenchResult): string {
  const { workers, connections, generator } = load;
  return `${takenAt.slice(0, 10)}, ${commit ?? 'no commit'}, ${machine['cores']} cores, ${workers} worker(s), ${connections} connections, ${generator}`;
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}\n${describeFailure(error.cause)}` : error.message;
}
