/** CPU time and memory of processes, read from /proc. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** /proc counts CPU time in hundredths of a second on every architecture Node.js runs on (USER_HZ). */
const MICROSECONDS_PER_TICK = 10_000;

export interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  /** utime + stime of all threads, ended ones included. Children are not. */
  readonly cpuMicros: number;
  /** Since boot, in ticks: with the pid it identifies a process even when pids are used again. */
  readonly startedAtTicks: number;
}

/** Reads the one line of /proc/<pid>/stat. The name stands in brackets and may itself hold brackets and spaces. */
export function parseProcessStat(line: string): ProcessStat {
  const nameStart = line.indexOf('(');
  const nameEnd = line.lastIndexOf(')');
  const fields = line.slice(nameEnd + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const stat: ProcessStat = {
    pid: Number.parseInt(line, 10),
    parentPid: field(4),
    name: line.slice(nameStart + 1, nameEnd),
    cpuMicros: (field(14) + field(15)) * MICROSECONDS_PER_TICK,
    startedAtTicks: field(22),
  };
  if (nameStart < 0 || Number.isNaN(stat.cpuMicros + stat.startedAtTicks)) {
    throw new Error(`not a line of /proc/<pid>/stat: '${line}'`);
  }
  return stat;
}

/** VmRSS in bytes from the text of /proc/<pid>/status; 0 for a process that has ended but was not waited for. */
export function parseResidentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** A process and everything it started that still runs, parents first. Empty when the process has ended. */
export function listProcessTree(rootPid: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => readProcessStat(Number(entry)) ?? []);
  const tree = all.filter((stat) => stat.pid === rootPid);
  for (const parent of tree) {
    tree.push(...all.filter((stat) => stat.parentPid === parent.pid));
  }
  return tree;
}

/** Undefined when no such process runs any more. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const line = readUnlessGone(`/proc/${pid}/stat`);
  return line === undefined ? undefined : parseProcessStat(line);
}

/** 0 when no such process runs any more. */
export function readResidentBytes(pid: number): number {
  return parseResidentBytes(readUnlessGone(`/proc/${pid}/status`) ?? '');
}

/** Arguments of the command line; empty for a kernel thread or a process that has ended. */
export function readCommandLine(pid: number): string[] {
  return (readUnlessGone(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((part) => part !== '');
}

/** Processes may end between listing and reading: that is an answer, not a failure. */
function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
