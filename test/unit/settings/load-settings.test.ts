import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Environment, loadSettings, SettingsError } from '../../../core/settings/load-settings.ts';
import { listSettings, variablesOf } from '../../../core/settings/setting-table.ts';

const settingsOf = (environment: Environment) => loadSettings(environment).settings;

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadSettings', () => {
  it('gives every default in an empty environment', () => {
    const { settings, warnings } = loadSettings({});
    expect(warnings).toEqual([]);
    expect(settings).toMatchObject({
      proxyListen: [
        { address: '0.0.0.0', port: 8000, flags: [] },
        { address: '0.0.0.0', port: 8443, flags: ['http2', 'ssl'] },
      ],
      adminListen: [{ address: '127.0.0.1', port: 8001, flags: [] }],
      statusListen: [{ address: '127.0.0.1', port: 8100, flags: [] }],
      database: 'embedded',
      dataDir: './data',
      workers: availableParallelism(),
      plugins: ['bundled'],
      logLevel: 'notice',
      trustedIps: [],
      headers: ['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'],
      routerFlavor: 'traditional',
      clientMaxBodyBytes: 0,
      clientBodyBufferBytes: 1_048_576,
      pluginTimeoutMs: 50,
      isDebugHeaderAllowed: false,
      upstreamKeepaliveIdleTimeoutSeconds: 60,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('reads a Kong alias, and prefers its own variable', () => {
    expect(settingsOf({ KONG_LOG_LEVEL: 'debug' }).logLevel).toBe('debug');
    expect(settingsOf({ KONG_LOG_LEVEL: 'debug', TOLLGATE_LOG_LEVEL: 'warn' }).logLevel).toBe('warn');
    expect(settingsOf({ KONG_NGINX_WORKER_PROCESSES: '3' }).workers).toBe(3);
    expect(settingsOf({ KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE: '8k' }).clientMaxBodyBytes).toBe(8192);
  });

  it('takes an empty variable as not set', () => {
    expect(settingsOf({ TOLLGATE_LOG_LEVEL: '', KONG_LOG_LEVEL: 'info' }).logLevel).toBe('info');
  });

  it('reports every bad value at once, each with its variable, the value and what was expected', () => {
    const problems = problemsOf({ TOLLGATE_WORKERS: '0', KONG_LOG_LEVEL: 'loud', TOLLGATE_PG_PORT: 'x' });
    expect(problems).toEqual([
      'TOLLGATE_PG_PORT: "x" cannot be used, expected a whole number from 1 to 65535',
      'TOLLGATE_WORKERS: "0" cannot be used, expected a whole number from 1 to 256, or "auto"',
      'KONG_LOG_LEVEL: "loud" cannot be used, expected one of "debug", "info", "notice", "warn", "error", "crit"',
    ]);
  });

  it('never repeats a secret in an error', () => {
    const [problem] = problemsOf({ DATABASE_URL: 'mysql://user:pass-word@host/db' });
    expect(problem).toMatch(/^DATABASE_URL: its value cannot be used/);
  });

  it('warns of unknown TOLLGATE variables and ignores unknown KONG ones', () => {
    const { warnings } = loadSettings({ TOLLGATE_WORKRS: '2', KONG_NONSENSE: '1' });
    expect(warnings).toEqual(['TOLLGATE_WORKRS is not a setting and has no effect']);
  });

  it('refuses what exists in Kong and not here, by name', () => {
    const refused = {
      TOLLGATE_DATABASE: 'off',
      TOLLGATE_ROUTER_FLAVOR: 'expressions',
      TOLLGATE_PROXY_LISTEN: '0.0.0.0:8000, 0.0.0.0:8443 proxy_protocol',
    };
    const [listen, database, flavor] = problemsOf(refused);
    expect(listen).toContain('TOLLGATE_PROXY_LISTEN');
    expect(listen).toContain('"proxy_protocol" is not available');
    expect(database).toContain('"off" is not available');
    expect(flavor).toContain('"expressions" is not available');
  });

  it('reports problems and never anything else, whatever the environment holds', () => {
    const variables = listSettings().flatMap(({ row }) => variablesOf(row));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...variables), fc.string({ unit: 'binary' })),
        (environment) => {
          for (const problem of problemsOf(environment)) {
            expect(Object.keys(environment).some((variable) => problem.startsWith(`${variable}: `))).toBe(
              true,
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('database', () => {
  it('is postgres when a Postgres server is named, else embedded', () => {
    expect(settingsOf({ TOLLGATE_PG_HOST: 'db' }).database).toBe('postgres');
    expect(settingsOf({ DATABASE_URL: 'postgres://u@db/x' }).database).toBe('postgres');
    expect(settingsOf({ TOLLGATE_PG_PORT: '5433' }).database).toBe('embedded');
    expect(settingsOf({ KONG_DATABASE: 'postgres' })).toMatchObject({
      database: 'postgres',
      pgHost: '127.0.0.1',
    });
  });

  it('stays what the operator said, with a warning when a server is named in vain', () => {
    const { settings, warnings } = loadSettings({
      TOLLGATE_DATABASE: 'embedded',
      DATABASE_URL: 'postgres://u@db/x',
    });
    expect(settings.database).toBe('embedded');
    expect(warnings).toEqual(['database is "embedded": DATABASE_URL and the pg_ settings have no effect']);
  });

  it('is taken from DATABASE_URL when pg_host is given too, with a warning', () => {
    const { warnings } = loadSettings({ TOLLGATE_PG_HOST: 'a', DATABASE_URL: 'postgresql://u@b/x' });
    expect(warnings).toEqual(['DATABASE_URL and pg_host are both given: DATABASE_URL is used']);
  });
});
