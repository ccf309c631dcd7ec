import { describe, expect, it } from 'vitest';
import { createEnvironmentVault } from '../../../../core/secrets/environment-vault.ts';
import { resolveSecrets } from '../../../../core/secrets/resolve-secrets.ts';
import type { PackageManifest } from '../../../../sdk/protocol/manifest.ts';
import { s } from '../../../../sdk/schema/index.ts';

const SCHEMA = s.config({
  password: s.string({ referenceable: true }),
  plain: s.string(),
  headers: s.map(s.string(), s.string({ referenceable: true })),
  list: s.array(s.record({ token: s.string({ referenceable: true }) })),
});
const read = createEnvironmentVault({ API_KEY: 'k1', JSON_KEYS: '{"a":"k2","b":7}', EMPTY: '' });

function resolve(config: Readonly<Record<string, unknown>>) {
  const instance = { id: 'i', plugin: 'p', config, routeId: null, serviceId: null };
  const manifest = {
    protocolVersion: 1,
    plugins: [{ name: 'p', schema: SCHEMA }],
  } as unknown as PackageManifest;
  const configuration = { generation: 1, instances: [instance], plans: [], consumers: {} };
  return resolveSecrets(configuration, manifest, read).instances[0];
}

describe('references to secrets', () => {
  it('are replaced wherever a field is referenceable', () => {
    const { config, problem } = resolve({
      password: '{vault://env/api-key}',
      headers: { a: '{vault://env/API_KEY}', b: 'b' },
      list: [{ token: '{vault://env/json_keys/a}' }],
    }) as { config: unknown; problem?: string };
    expect(problem).toBeUndefined();
    expect(config).toEqual({ password: 'k1', headers: { a: 'k1', b: 'b' }, list: [{ token: 'k2' }] });
  });

  it('are text like any other where it is not', () => {
    const config = { plain: '{vault://env/API_KEY}', unknown: '{vault://env/API_KEY}' };
    expect(resolve(config)?.config).toEqual(config);
  });

  it.each([
    ['{vault://env/none}', 'the environment variable NONE is not set'],
    ['{vault://env/empty}', 'the environment variable EMPTY is not set'],
    ['{vault://env/json-keys/b}', "the environment variable JSON_KEYS has no text 'b'"],
    ['{vault://env/json-keys/toString}', "the environment variable JSON_KEYS has no text 'toString'"],
    ['{vault://env/api-key/a}', 'the environment variable API_KEY holds no JSON'],
    ['{vault://aws/a}', "there is no vault 'aws'"],
  ])('leave an instance that cannot run when there is no secret: %s', (password, problem) => {
    expect(resolve({ password })).toMatchObject({ problem, config: { password } });
  });
});
