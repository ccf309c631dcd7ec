import { describe, expect, it } from 'vitest';
import { checkManifest } from '../../../../core/sandbox/check-manifest.ts';
import { PROTOCOL_VERSION } from '../../../../sdk/protocol/version.ts';
import { s } from '../../../../sdk/schema/index.ts';

function check(change: Readonly<Record<string, unknown>>): string | undefined {
  const plugin = {
    name: 'p',
    aliases: [],
    version: '1.0.0',
    priority: 1,
    phases: ['access'],
    scopes: ['global'],
    protocols: ['http'],
    schema: s.config({}),
    capabilities: {},
    metrics: {},
    logRecord: 'full',
    responseNeeds: '',
    ...change,
  };
  return checkManifest({ protocolVersion: PROTOCOL_VERSION, plugins: [plugin] });
}

describe('the manifest of a stranger', () => {
  it('may list whom a plugin asks', () => {
    expect(
      check({ capabilities: { egress: ['https://api.example.com', 'https://*.example.org', '10.0.0.0/8'] } }),
    ).toBe(undefined);
  });

  it.each([[['*']], [['https://*']], ['https://a'], [[7]], [new Array(65).fill('https://a')]])(
    'may not list everybody, or what is no list: %j',
    (egress) => {
      expect(check({ capabilities: { egress } })).toBe(
        "plugin 'p': capabilities.egress must be up to 64 origins or ranges of addresses",
      );
    },
  );

  it.each([
    [{ key: s.string({ referenceable: true, default: '{vault://env/DATABASE_URL}' }) }, 'schema.key'],
    [
      { keys: s.array(s.string({ referenceable: true }), { default: ['{vault://env/DATABASE_URL}'] }) },
      'schema.keys',
    ],
  ])('may not name a secret of the operator in a default', (fields, path) => {
    expect(check({ schema: s.config(fields) })).toBe(`plugin 'p': ${path}.default names a secret`);
  });
});
