/** Reading CPU and memory of processes from /proc. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  listProcessTree,
  parseProcessStat,
  parseResidentBytes,
  readProcessStat,
  readResidentBytes,
} from '../../../bench/process-usage.ts';

const STAT =
  '4321 (nginx) S 17 4321 4321 0 -1 4194560 1500 0 3 0 120 345 7 9 20 0 1 0 998877 12345678 900 18446744073709551615';

describe('a line of /proc/<pid>/stat', () => {
  it('gives the CPU time in microseconds, without that of ended children', () => {
    expect(parseProcessStat(STAT)).toEqual({
      pid: 4321,
      parentPid: 17,
      name: 'nginx',
      cpuMicros: 4_650_000,
      startedAtTicks: 998_877,
    });
  });

  it('is read correctly when the name holds brackets and spaces', () => {
    expect(parseProcessStat(STAT.replace('(nginx)', '(a) R 1 (b)'))).toMatchObject({
      name: 'a) R 1 (b',
      parentPid: 17,
      cpuMicros: 4_650_000,
    });
  });

  it('is refused when it is something else', () => {
    expect(() => parseProcessStat('not found')).toThrow('not a line of /proc');
  });
});

describe('the text of /proc/<pid>/status', () => {
  it('gives resident memory in bytes', () => {
    expect(parseResidentBytes('VmPeak:\t  900 kB\nVmRSS:\t  512 kB\nThreads:\t1\n')).toBe(524_288);
  });

  it('gives 0 for a process that has ended and was not waited for', () => {
    expect(parseResidentBytes('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('a live process', () => {
  it('is listed before the processes it started, until they end', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const pids = listProcessTree(process.pid).map(({ pid }) => pid);
    expect(pids[0]).toBe(process.pid);
    expect(pids).toContain(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(listProcessTree(child.pid ?? 0)).toEqual([]);
    expect(readProcessStat(child.pid ?? 0)).toBeUndefined();
    expect(readResidentBytes(child.pid ?? 0)).toBe(0);
  });

  it('has used CPU and memory', () => {
    expect(readProcessStat(process.pid)?.cpuMicros).toBeGreaterThan(0);
    expect(readResidentBytes(process.pid)).toBeGreaterThan(1_000_000);
  });
});
