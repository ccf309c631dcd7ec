/** What the figures of a run depend on: the machine and the commit. Nothing that identifies either's owner. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';

export function describeMachine(): Record<string, string | number> {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release().split('-')[0]} ${arch()}`,
    loadAverageBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Short hash of the checked-out commit, `-dirty` when files differ; null outside a repository or without git. */
export function readCommit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
