/** What a process uses, as the kernel tells it: nobody's word has to be taken for it. Linux only; undefined elsewhere. */
import { readFileSync } from 'node:fs';

/** In which the kernel tells CPU time, on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;
/** Fields behind the name of the program, in the order of proc(5). */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const BYTES_PER_KB = 1024;

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

export function readProcessUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return {
      cpuSeconds: (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND,
      rssBytes: Number(resident?.[1] ?? 0) * BYTES_PER_KB,
    };
  } catch {
    return undefined;
  }
}
