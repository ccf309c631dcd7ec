import { expect, it } from 'vitest';
import { describeConfiguration } from '../../../core/settings/describe-configuration.ts';
import { loadSettings } from '../../../core/settings/load-settings.ts';
import { expandHeaderTokens } from '../../../core/settings/response-headers.ts';

it('shows effective values under their property names', () => {
  const { settings } = loadSettings({ TOLLGATE_ADMIN_LISTEN: '[::1]:9001', TOLLGATE_WORKERS: '2' });
  expect(describeConfiguration(settings)).toMatchObject({
    admin_listen: ['[::1]:9001'],
    admin_listeners: [{ ip: '::1', port: 9001, ssl: false }],
    plugins: ['bundled'],
    database: 'embedded',
    role: 'traditional',
    router_flavor: 'traditional',
    log_level: 'notice',
    real_ip_recursive: 'off',
    workers: 2,
  });
});

it('masks secrets and leaves out what has no value', () => {
  const { settings } = loadSettings({ TOLLGATE_PG_PASSWORD: 'pa', DATABASE_URL: 'postgres://u:pa@h/d' });
  const shown = describeConfiguration(settings);
  expect(shown['pg_password']).toBe('******');
  expect(shown['database_url']).toBe('******');
  expect(shown).not.toHaveProperty('node_id');
});

it('expands the tokens of the headers setting', () => {
  expect([...expandHeaderTokens(['server_tokens', 'X-Kong-Request-Id'])]).toEqual([
    'Server',
    'Via',
    'X-Kong-Request-Id',
  ]);
  expect(expandHeaderTokens([]).size).toBe(0);
});
