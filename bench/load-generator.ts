/** Puts load on one URL: with wrk where it is installed, else with autocannon. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { type LoadReport, parseAutocannonReport, parseWrkReport } from './load-report.ts';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  /** Ends the load early; `run` then rejects. */
  readonly signal: AbortSignal;
}

export interface LoadGenerator {
  readonly name: 'wrk' | 'autocannon';
  run(load: Load): Promise<LoadReport>;
}

/** How much longer than asked the load may take before it is ended by force. */
const GRACE_MS = 15_000;

const execute = promisify(execFile);

export function findLoadGenerator(): LoadGenerator {
  const wrk = findProgram('wrk');
  if (wrk !== undefined) {
    return { name: 'wrk', run: async (load) => parseWrkReport(await capture(wrk, wrkArguments(load), load)) };
  }
  const autocannon = createRequire(import.meta.url).resolve('autocannon/autocannon.js');
  return {
    name: 'autocannon',
    run: async (load) =>
      parseAutocannonReport(
        await capture(process.execPath, [autocannon, ...autocannonArguments(load)], load),
      ),
  };
}

/** One thread: the machine is shared with the subject, and one is more than any subject's worker can answer. */
function wrkArguments({ url, headers, connections, seconds }: Load): string[] {
  const head = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  return ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '--latency', ...head, url];
}

function autocannonArguments({ url, headers, connections, seconds }: Load): string[] {
  const head = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
  return ['--json', '-c', String(connections), '-d', String(seconds), ...head, url];
}

async function capture(command: string, args: readonly string[], load: Load): Promise<string> {
  const { stdout } = await execute(command, args, {
    signal: load.signal,
    timeout: load.seconds * 1_000 + GRACE_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}
