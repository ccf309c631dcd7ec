/** Entities and plugins as `/schemas` shows them (contract/admin-api.md section 5). */
import { describe, describeChecks, describeFields, type PlainRecord } from '../../sdk/schema/index.ts';
import type { EntityDefinition } from './define-entity.ts';
import type { PluginSchema } from './plugin-schemas.ts';
import { specialChecks, specialFields } from './plugins.ts';

export interface SchemaDocument {
  readonly fields: readonly PlainRecord[];
  readonly entity_checks: readonly PlainRecord[];
}

/** `GET /schemas/{entity}`. Write-only shorthands such as `url` are not part of it. */
export function describeEntity(entity: EntityDefinition): SchemaDocument {
  return { fields: describeFields(entity.fields), entity_checks: describeChecks(entity.checks) };
}

/** `GET /schemas/plugins/{name}`: what this plugin makes of the plugin entity. */
export function describePlugin(schema: PluginSchema): SchemaDocument {
  return {
    fields: describeFields(specialFields(schema)),
    entity_checks: describeChecks(specialChecks(schema)),
  };
}

/** `GET /plugins/schema/{name}`: the configuration alone. */
export function describePluginConfig(schema: PluginSchema): SchemaDocument {
  return { entity_checks: [], ...describe(schema.configSchema) };
}
