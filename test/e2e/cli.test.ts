import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));

function runCli(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

it('prints usage and every setting for --help', () => {
  const { status, stdout } = runCli(['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('Usage: tollgate <command>');
  expect(stdout).toContain('TOLLGATE_PROXY_LISTEN (0.0.0.0:8000)');
});

it('prints the version of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(runCli(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

it('ends with 2 and the usage for an unknown command', () => {
  const { status, stdout, stderr } = runCli(['fly']);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^tollgate: unknown command: fly\n\nUsage:/);
});

it('ends with 2 and one line for each setting that cannot be used', () => {
  const { status, stderr } = runCli(['start'], { TOLLGATE_WORKERS: 'many', KONG_LOG_LEVEL: 'loud' });
  expect(status).toBe(2);
  expect(stderr.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^tollgate: TOLLGATE_WORKERS: "many" cannot be used/),
    expect.stringMatching(/^tollgate: KONG_LOG_LEVEL: "loud" cannot be used/),
  ]);
});
