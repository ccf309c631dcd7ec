import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { createTestDatabase } from '../support/test-database.ts';

const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));

function runCli(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

it('prints usage and every setting for --help', () => {
  const { status, stdout } = runCli(['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('Usage: tollgate <command>');
  expect(stdout).toContain('TOLLGATE_PROXY_LISTEN (0.0.0.0:8000, 0.0.0.0:8443 http2 ssl)');
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

describe('migrations', () => {
  it('are pending on an empty database, done after bootstrap, and nothing to do then', async () => {
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database.url };
    try {
      const pending = runCli(['migrations', 'status'], env);
      expect(pending).toMatchObject({ status: 0, stderr: '' });
      expect(pending.stdout).toMatch(/^0001_core_entities: pending$/m);
      expect(runCli(['migrations', 'bootstrap'], env).stdout).toMatch(/^0001_core_entities: done$/m);
      expect(runCli(['migrations', 'status'], env).stdout).not.toContain('pending');
      expect(runCli(['migrations', 'up'], env)).toEqual({ status: 0, stdout: 'nothing to do\n', stderr: '' });
    } finally {
      await database.drop();
    }
  });

  it('end with 1 and the reason when the database cannot be reached', async () => {
    const port = await findFreePort();
    const { status, stderr } = runCli(['migrations', 'up'], {
      DATABASE_URL: `postgres://u@127.0.0.1:${port}/d`,
    });
    expect(status).toBe(1);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
