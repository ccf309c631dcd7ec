/** Three plugins that never run: enough schema to see what the Admin API makes of one. */
import type { PluginCatalog } from '../../../../core/admin/create-admin-api.ts';
import type { PluginSchema } from '../../../../core/entities/plugin-schemas.ts';
import type { RecordField } from '../../../../sdk/schema/fields.ts';

interface CatalogEntry extends PluginSchema {
  readonly version: string;
  readonly priority: number;
}

const config = (fields: RecordField['fields'], more: Partial<RecordField> = {}): RecordField => ({
  type: 'record',
  required: true,
  fields,
  ...more,
});

/** Every kind of field a config may have. */
const TIERS: CatalogEntry = {
  name: 'tiers',
  version: '1.2.3',
  priority: 910,
  configSchema: config(
    {
      minute: { type: 'number', gt: 0 },
      hour: { type: 'number', gt: 0 },
      limit_by: { type: 'string', one_of: ['consumer', 'ip'], default: 'consumer' },
      list: { type: 'array', elements: { type: 'string' }, default: ['x'] },
      headers: { type: 'map', keys: { type: 'string' }, values: { type: 'string' } },
      redis: {
        type: 'record',
        required: true,
        fields: {
          host: { type: 'string', format: 'host' },
          port: { type: 'integer', between: [0, 65535], default: 6379 },
        },
      },
    },
    {
      shorthands: {
        redis_host: {
          field: { type: 'string' },
          replaced_with: ['redis', 'host'],
          deprecation: { message: 'use redis.host', removal_in_version: '4.0' },
        },
      },
    },
  ),
};

const KEY_AUTH: CatalogEntry = {
  name: 'key-auth',
  version: '3.9.1',
  priority: 1250,
  configSchema: config({
    key_names: {
      type: 'array',
      required: true,
      elements: { type: 'string', format: 'header_name' },
      default: ['apikey'],
    },
  }),
  scopes: { consumer: false },
};

const CORS: CatalogEntry = { name: 'cors', version: '3.9.1', priority: 2000, configSchema: config({}) };

export function createTestCatalog(): PluginCatalog {
  const entries = new Map([TIERS, KEY_AUTH, CORS].map((entry) => [entry.name, entry]));
  return {
    names: () => [...entries.keys()],
    get: (name) => entries.get(name),
    info: (name) => entries.get(name),
  };
}
