/** Plugins: instances of plugin packages, attached to routes, services, consumers or everything (contract/admin-api.md section 3.5). */
import {
  concernsWholeRecord,
  type EntityCheck,
  type FieldDefinition,
  type FieldMap,
} from '../../sdk/schema/index.ts';
import { CREATED_AT, ID, PROTOCOLS, TAGS, UNIQUE_NAME, UPDATED_AT } from './common-fields.ts';
import { defineEntity, type EntityDefinition, type EntityRow, type RuleErrors } from './define-entity.ts';
import type { PluginSchema, PluginSchemas } from './plugin-schemas.ts';

const HTTP_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'];

const scope = (reference: string): FieldDefinition => ({ type: 'foreign', reference, on_delete: 'cascade' });

/** The definition of plugins, whose `config`, `protocols` and scopes are those of the plugin named in each row. */
export function pluginEntity(schemas: PluginSchemas): EntityDefinition {
  const plugins: EntityDefinition = defineEntity({
    name: 'plugins',
    adminName: 'plugins',
    nestedNames: { route: 'plugins', service: 'plugins', consumer: 'plugins' },
    endpointKey: 'instance_name',
    fields: {
      id: ID,
      name: { type: 'string', required: true },
      instance_name: UNIQUE_NAME,
      created_at: CREATED_AT,
      updated_at: UPDATED_AT,
      route: scope('routes'),
      service: scope('services'),
      consumer: scope('consumers'),
      config: { type: 'record', required: true, fields: {} },
      protocols: protocolsField(PROTOCOLS),
      enabled: { type: 'boolean', required: true, default: true },
      tags: TAGS,
    },
    checks: [],
    specialise: ({ name }) => {
      const schema = typeof name === 'string' ? schemas.get(name) : undefined;
      if (schema) return { ok: true, definition: specialisePlugins(plugins, schema) };
      return { ok: false, errors: { name: explainUnknownName(name) } };
    },
    shorthands: {},
    uniqueTogether: ['name', 'route', 'service', 'consumer'],
    hasTtl: false,
  });
  return plugins;
}

/** The fields that one plugin decides: its scopes where it refuses them, its protocols, its configuration. */
export function specialFields(schema: PluginSchema): FieldMap {
  const refused = (['route', 'service', 'consumer'] as const).filter(
    (name) => schema.scopes?.[name] === false,
  );
  return {
    ...Object.fromEntries(refused.map((name) => [name, { ...scope(`${name}s`), eq: null }])),
    protocols: protocolsField(schema.protocols ?? HTTP_PROTOCOLS, schema.defaultProtocols),
    config: {
      ...schema.configSchema,
      required: true,
      checks: (schema.configSchema.checks ?? []).filter(concernsWholeRecord),
    },
  };
}

/** A configuration's rules across fields are reported by the plugin itself: their fields are `config.…`. */
export function specialChecks(schema: PluginSchema): readonly EntityCheck[] {
  return (schema.configSchema.checks ?? []).filter((check) => !concernsWholeRecord(check)).map(liftCheck);
}

function specialisePlugins(plugins: EntityDefinition, schema: PluginSchema): EntityDefinition {
  return {
    ...plugins,
    fields: { ...plugins.fields, ...specialFields(schema) },
    checks: specialChecks(schema),
    normalise: (row) => ({ ...row, name: schema.name }),
  };
}

function explainUnknownName(name: unknown): string {
  if (name === undefined || name === null) return 'required field missing';
  if (typeof name !== 'string') return 'expected a string';
  return `plugin '${name}' not enabled; add it to the 'plugins' configuration property`;
}

function protocolsField(accepted: readonly string[], byDefault?: readonly string[]): FieldDefinition {
  const choices = [...accepted].sort();
  const http = choices.filter((protocol) => HTTP_PROTOCOLS.includes(protocol));
  return {
    type: 'set',
    required: true,
    elements: { type: 'string', one_of: choices },
    default: byDefault ?? (http.length > 0 ? http : choices),
  };
}

function liftCheck(check: EntityCheck): EntityCheck {
  const lift = (name: string) => `config.${name}`;
  switch (check.kind) {
    case 'conditional':
      return {
        ...check,
        if_field: lift(check.if_field),
        then_field: lift(check.then_field),
        ...(check.unless_any_of !== undefined && { unless_any_of: check.unless_any_of.map(lift) }),
      };
    case 'conditional_at_least_one_of':
      return {
        ...check,
        if_field: lift(check.if_field),
        then_at_least_one_of: check.then_at_least_one_of.map(lift),
      };
    case 'mutually_exclusive_sets':
      return { ...check, set1: check.set1.map(lift), set2: check.set2.map(lift) };
    case 'record_rule':
      return check;
    default:
      return { ...check, fields: check.fields.map(lift) };
  }
}

/**
 * A plugin needs a protocol in common with its route or, without one, with a route of its service if that has any.
 * `serviceRoutes` are those of the plugin's service. Empty when all is well.
 */
export function checkPluginProtocols(
  plugin: EntityRow,
  route: EntityRow | undefined,
  serviceRoutes: readonly EntityRow[],
): RuleErrors {
  if (route) {
    return shareProtocol(plugin, route) ? {} : { protocols: "must match the associated route's protocols" };
  }
  if (serviceRoutes.length === 0 || serviceRoutes.some((one) => shareProtocol(plugin, one))) return {};
  return { protocols: "must match the protocols of at least one route pointing to this Plugin's service" };
}

function shareProtocol(left: EntityRow, right: EntityRow): boolean {
  const others = listProtocols(right);
  return listProtocols(left).some((protocol) => others.includes(protocol));
}

function listProtocols(row: EntityRow): readonly unknown[] {
  return Array.isArray(row['protocols']) ? row['protocols'] : [];
}
