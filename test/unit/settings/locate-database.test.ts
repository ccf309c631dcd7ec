import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadSettings } from '../../../core/settings/load-settings.ts';
import { locateDatabase } from '../../../core/settings/locate-database.ts';

const locate = (environment: Record<string, string>) => locateDatabase(loadSettings(environment).settings);

it('is a folder of its own inside data_dir by default', () => {
  expect(locate({ TOLLGATE_DATA_DIR: '/var/lib/x' })).toEqual({
    kind: 'embedded',
    dataDir: join('/var/lib/x', 'database'),
  });
});

it('is DATABASE_URL, whatever the pg settings say', () => {
  expect(locate({ DATABASE_URL: 'postgres://u@h/d', TOLLGATE_PG_HOST: 'other' })).toEqual({
    kind: 'postgres',
    connectionString: 'postgres://u@h/d',
  });
});

it('is made of the pg settings otherwise, without a password when there is none', () => {
  expect(locate({ KONG_PG_HOST: 'db', KONG_PG_USER: 'me', KONG_PG_SSL: 'on' })).toEqual({
    kind: 'postgres',
    host: 'db',
    port: 5432,
    user: 'me',
    database: 'kong',
    ssl: true,
  });
  const checked = locate({
    KONG_PG_HOST: 'db',
    KONG_PG_SSL: 'on',
    KONG_PG_SSL_VERIFY: 'on',
    KONG_PG_PASSWORD: 'p',
  });
  expect(checked).toMatchObject({ ssl: 'verify', password: 'p' });
});
