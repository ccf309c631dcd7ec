import { describe, expect, it } from 'vitest';
import { coerceEntityForm } from '../../../../core/entities/coerce-entity-form.ts';
import type { EntityRow } from '../../../../core/entities/define-entity.ts';
import {
  describeEntity,
  describePlugin,
  describePluginConfig,
} from '../../../../core/entities/describe-entity.ts';
import type { PluginSchema } from '../../../../core/entities/plugin-schemas.ts';
import { checkPluginProtocols, pluginEntity } from '../../../../core/entities/plugins.ts';
import { s } from '../../../../sdk/schema/index.ts';
import { fieldErrors, insertEntity, refusalOf, updateEntity } from './entity-outcome.ts';
import { rateLimiting } from './rate-limiting-schema.ts';

const UUID = '4a7f8c1e-2b3d-4c5e-8f60-718293a4b5c6';

const keyAuth: PluginSchema = {
  name: 'key-auth',
  configSchema: s.config({
    key_names: s.array(s.headerName(), { required: true, default: ['apikey'] }),
    hide_credentials: s.boolean({ required: true, default: false }),
  }),
  scopes: { consumer: false },
};
const limiter: PluginSchema = { name: 'rate-limiting', configSchema: rateLimiting };
const known = new Map([
  ['key-auth', keyAuth],
  ['rate-limiting', limiter],
  ['limits', limiter],
]);
const plugins = pluginEntity({ get: (name) => known.get(name), names: () => [...known.keys()] });

const configErrors = (config: unknown) => fieldErrors(plugins, { name: 'rate-limiting', config });

describe('a plugin', () => {
  it('shows its complete configuration', () => {
    const {
      id: _id,
      created_at: _created,
      updated_at: _updated,
      ...row
    } = insertEntity(plugins, { name: 'key-auth' });
    expect(row).toEqual({
      name: 'key-auth',
      instance_name: null,
      route: null,
      service: null,
      consumer: null,
      config: { key_names: ['apikey'], hide_credentials: false },
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      enabled: true,
      tags: null,
    });
  });

  it('is asked for its name before anything else', () => {
    const message = 'schema violation (name: required field missing)';
    expect(refusalOf(() => insertEntity(plugins, { nope: 1, config: 7 }))?.['message']).toBe(message);
    expect(refusalOf(() => insertEntity(plugins, { name: 'x', config: 7 }))).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { name: "plugin 'x' not enabled; add it to the 'plugins' configuration property" },
      message:
        "schema violation (name: plugin 'x' not enabled; add it to the 'plugins' configuration property)",
    });
  });

  it('is stored under its own name when an alias was given', () => {
    expect(insertEntity(plugins, { name: 'limits', config: { minute: 1 } }).name).toBe('rate-limiting');
  });

  it('refuses the scope it forbids', () => {
    expect(fieldErrors(plugins, { name: 'key-auth', consumer: { id: UUID } })).toEqual({
      consumer: 'value must be null',
    });
  });

  it.each([
    [{ consumer_group: { id: UUID } }, { consumer_group: 'unknown field' }],
    [{ ordering: {} }, { ordering: 'unknown field' }],
    [{ protocols: ['tcp'] }, { protocols: ['expected one of: grpc, grpcs, http, https'] }],
    [{ config: 'x' }, { config: 'expected a record' }],
    [{ config: null }, { config: 'required field missing' }],
    [{ config: { nope: 1 } }, { config: { nope: 'unknown field' } }],
    [
      { config: { key_names: ['ok', 'x y'] } },
      {
        config: {
          key_names: [null, "bad header name 'x y', allowed characters are A-Z, a-z, 0-9, '_', and '-'"],
        },
      },
    ],
  ])('is refused for %j', (input, fields) => {
    expect(fieldErrors(plugins, { name: 'key-auth', ...input })).toEqual(fields);
  });

  it('names a field of the configuration by its path', () => {
    const refusal = refusalOf(() =>
      insertEntity(plugins, { name: 'rate-limiting', config: { minute: 'x' } }),
    );
    expect(refusal).toMatchObject({
      message: 'schema violation (config.minute: expected a number)',
      fields: { config: { minute: 'expected a number' } },
    });
  });

  it('prints what lies deeper as a table', () => {
    const config = { minute: 1, redis: { host: 'a:b:c', port: 'x' } };
    expect(refusalOf(() => insertEntity(plugins, { name: 'rate-limiting', config }))?.['message']).toBe(
      'schema violation (config.redis: {\n  host = "invalid value: a:b:c",\n  port = "expected an integer"\n})',
    );
  });
});

describe('the rules across fields of a configuration', () => {
  it('are reported by the plugin with the paths of the fields', () => {
    expect(configErrors({})).toEqual({
      '@entity': [
        "at least one of these fields must be non-empty: 'config.second', 'config.minute', 'config.hour', 'config.day', 'config.month', 'config.year'",
      ],
    });
    expect(configErrors({ minute: 1, limit_by: 'header' })).toEqual({
      '@entity': ["failed conditional validation given value of field 'config.limit_by'"],
      config: { header_name: 'required field missing' },
    });
    expect(configErrors({ minute: 1, policy: 'redis' })).toMatchObject({
      config: { redis: { host: 'required field missing' } },
    });
  });

  it('are the error of the whole configuration where they compare its values', () => {
    const order = 'The limit for hour(10.0) cannot be lower than the limit for second(20.0)';
    const refusal = refusalOf(() =>
      insertEntity(plugins, { name: 'rate-limiting', config: { second: 20, hour: 10 } }),
    );
    expect(refusal).toMatchObject({
      fields: { config: order },
      message: `schema violation (config: ${order})`,
    });
    expect(configErrors({ minute: 1, sync_rate: 1 })).toEqual({
      config: 'sync_rate can only be used with the redis policy',
    });
    const redis = { minute: 1, policy: 'redis', redis: { host: 'r' } };
    expect(configErrors({ ...redis, sync_rate: 0.01 })).toEqual({
      config: 'sync_rate must be greater than 0.02, or -1 to disable',
    });
    expect(configErrors({ ...redis, sync_rate: 0.02 })).toBeUndefined();
    expect(configErrors(redis)).toBeUndefined();
  });

  it('wait until the fields themselves are right', () => {
    expect(configErrors({ second: 20, hour: 10, limit_by: 'x' })).toEqual({
      config: { limit_by: 'expected one of: consumer, credential, ip, service, header, path' },
    });
  });
});

describe('a deprecated field', () => {
  const insert = (config: object) => insertEntity(plugins, { name: 'rate-limiting', config })['config'];

  it('moves to its new place and is shown in both', () => {
    expect(insert({ minute: 1, redis_host: 'a.test' })).toMatchObject({
      redis_host: 'a.test',
      redis: { host: 'a.test' },
    });
    expect(insert({ minute: 1, redis: { port: 1 } })).toMatchObject({ redis_port: 1, redis_host: null });
  });

  it('may not contradict its successor', () => {
    const config = { minute: 1, redis_host: 'a', redis: { host: 'b' } };
    expect(fieldErrors(plugins, { name: 'rate-limiting', config })).toEqual({
      redis_host:
        'both deprecated and new field are used but their values mismatch: redis_host = a vs redis.host = b',
    });
  });

  it('is accepted when it agrees, so that an answer can be sent back', () => {
    const row = insertEntity(plugins, { name: 'rate-limiting', config: { minute: 1, redis_host: 'a' } });
    expect(insertEntity(plugins, row)).toMatchObject({ config: row['config'] });
  });

  it('replaces the stored value when it alone is sent', () => {
    const stored = insertEntity(plugins, { name: 'rate-limiting', config: { minute: 1, redis_host: 'a' } });
    const changed = updateEntity(plugins, stored, { config: { redis_host: 'b' } });
    expect(changed['config']).toMatchObject({ redis_host: 'b', redis: { host: 'b', port: 6379 }, minute: 1 });
  });
});

describe('an update of a plugin', () => {
  it('merges the configuration and replaces lists in it', () => {
    const stored = insertEntity(plugins, {
      name: 'key-auth',
      config: { key_names: ['a', 'b'], hide_credentials: true },
    });
    expect(updateEntity(plugins, stored, { config: { key_names: ['c'] } })['config']).toEqual({
      key_names: ['c'],
      hide_credentials: true,
    });
  });
});

describe('the protocols of a plugin', () => {
  const row = (...protocols: string[]) => ({ id: UUID, protocols }) as EntityRow;

  it('meet those of its route', () => {
    expect(checkPluginProtocols(row('http'), row('http', 'https'), [])).toEqual({});
    expect(checkPluginProtocols(row('grpc'), row('http'), [row('grpc')])).toEqual({
      protocols: "must match the associated route's protocols",
    });
  });

  it('meet those of one route of its service, if there is any', () => {
    expect(checkPluginProtocols(row('http'), undefined, [])).toEqual({});
    expect(checkPluginProtocols(row('http'), undefined, [row('grpc'), row('http')])).toEqual({});
    expect(checkPluginProtocols(row('http'), undefined, [row('grpc')])).toEqual({
      protocols: "must match the protocols of at least one route pointing to this Plugin's service",
    });
  });
});

describe('a form about a plugin', () => {
  it('gets the types of the configuration of the plugin it names', () => {
    const tree = {
      name: 'rate-limiting',
      config: { minute: '5', redis: { ssl: 'true', port: '' }, redis_port: '7' },
    };
    expect(coerceEntityForm(plugins, tree)).toEqual({
      name: 'rate-limiting',
      config: { minute: 5, redis: { ssl: true, port: null }, redis_port: 7 },
    });
    expect(coerceEntityForm(plugins, { config: { key_names: 'a' } }, { name: 'key-auth' })).toEqual({
      config: { key_names: ['a'] },
    });
    expect(coerceEntityForm(plugins, { name: 'x', enabled: 'true' })).toEqual({ name: 'x', enabled: true });
  });
});

describe('the schema document of a plugin', () => {
  it('has the configuration, the protocols and the scopes it forbids', () => {
    const document = describePlugin(keyAuth);
    expect(document.entity_checks).toEqual([]);
    expect(document.fields).toEqual([
      { consumer: { type: 'foreign', reference: 'consumers', on_delete: 'cascade', eq: null } },
      {
        protocols: {
          type: 'set',
          required: true,
          elements: { type: 'string', one_of: ['grpc', 'grpcs', 'http', 'https'] },
          default: ['grpc', 'grpcs', 'http', 'https'],
        },
      },
      {
        config: {
          type: 'record',
          required: true,
          fields: [
            {
              key_names: { type: 'array', required: true, default: ['apikey'], elements: { type: 'string' } },
            },
            { hide_credentials: { type: 'boolean', required: true, default: false } },
          ],
        },
      },
    ]);
  });

  it('shows rules across fields with their paths, and leaves out those that are code', () => {
    const { entity_checks: checks } = describePlugin(limiter);
    expect(checks).toHaveLength(5);
    expect(checks[1]).toEqual({
      conditional: {
        if_field: 'config.policy',
        if_match: { eq: 'redis' },
        then_field: 'config.redis.host',
        then_match: { required: true },
      },
    });
  });

  it('shows deprecated fields with their successors', () => {
    expect(describePluginConfig(limiter)).toMatchObject({
      shorthand_fields: [
        {
          redis_host: {
            type: 'string',
            deprecation: {
              message: 'use config.redis.host instead',
              removal_in_version: '4.0',
              replaced_with: [{ path: ['redis', 'host'] }],
            },
          },
        },
        {},
        {},
      ],
    });
  });

  it('lists the fields of the entity in their order', () => {
    expect(describeEntity(plugins).fields.map((field) => Object.keys(field))).toEqual(
      [
        'id',
        'name',
        'instance_name',
        'created_at',
        'updated_at',
        'route',
        'service',
        'consumer',
        'config',
        'protocols',
        'enabled',
        'tags',
      ].map((name) => [name]),
    );
  });
});
