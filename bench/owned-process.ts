/**
 * Child processes of a run: started with their output kept, ended by pid with all they started, and killed at the
 * latest when the run itself exits.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcessTree, type ProcessStat, readProcessStat } from './process-usage.ts';

export interface OwnedProcess {
  readonly pid: number;
  /** Settles when the process has ended, with its exit code (or null after a signal). */
  readonly ended: Promise<number | null>;
  /** What it has written to stdout and stderr so far; only the last 4,000 characters. */
  readOutput(): string;
  /** Asks it to end, waits up to five seconds, then kills it and every process it started. */
  stop(): Promise<void>;
}

export interface ProcessCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Its stdout and stderr. */
  readonly logFile: string;
}

const STOP_TIMEOUT_MS = 5_000;
const running = new Set<number>();

process.on('exit', () => {
  for (const pid of running) killTree(listProcessTree(pid));
});

export function startProcess({ command, args, env, logFile }: ProcessCommand): OwnedProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  running.add(pid);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running.delete(pid);
      resolve(code);
    });
  });
  const stop = async (): Promise<void> => {
    const tree = listProcessTree(pid);
    child.kill('SIGTERM');
    await waitUntilGone(tree, STOP_TIMEOUT_MS);
    killTree(tree);
    if (running.has(pid)) await ended;
  };
  return { pid, ended, stop, readOutput: () => readFileSync(logFile, 'utf8').slice(-4_000) };
}

/** Calls `isReady` until it holds. Throws, with the output, when the process ends first or time runs out. */
export async function waitUntilReady(
  owned: OwnedProcess,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let hasEnded = false;
  void owned.ended.then(() => {
    hasEnded = true;
  });
  while (!(await isReady())) {
    if (hasEnded) throw new Error(`ended before it was ready:\n${owned.readOutput()}`);
    if (Date.now() > deadline) throw new Error(`not ready after ${timeoutMs} ms:\n${owned.readOutput()}`);
    await delay(50);
  }
}

/** Whether a GET is answered with 200; false while nothing listens. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function waitUntilGone(tree: readonly ProcessStat[], timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (tree.some(isRunning) && Date.now() < deadline) await delay(20);
}

function killTree(tree: readonly ProcessStat[]): void {
  for (const stat of tree.filter(isRunning)) {
    try {
      process.kill(stat.pid, 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

/** A pid that was given to another process since does not count. */
function isRunning(stat: ProcessStat): boolean {
  return readProcessStat(stat.pid)?.startedAtTicks === stat.startedAtTicks;
}
