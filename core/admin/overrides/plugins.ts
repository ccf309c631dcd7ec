/**
 * Where plugins differ from other entities: protocols that must fit their scope, the words of a PATCH that finds
 * nothing, and the catalogue of what is loaded (contract/admin-api.md section 3.5).
 */
import type { EntityDefinition, EntityRow } from '../../entities/define-entity.ts';
import { describePluginConfig } from '../../entities/describe-entity.ts';
import type { PluginSchemas } from '../../entities/plugin-schemas.ts';
import { checkPluginProtocols } from '../../entities/plugins.ts';
import type { EntityStore } from '../../store/entity-store.ts';
import { answerJson, type Endpoint } from '../admin-exchange.ts';
import { AdminRefusal, notFound } from '../admin-refusal.ts';
import { findByKey, readEntityKey } from '../entity-key.ts';
import type { WriteRule } from '../entity-writes.ts';
import type { EndpointOverride } from '../layer-endpoints.ts';

const PAGE_SIZE = 1000;

/** A PATCH that does not say which plugin it is about has nothing to be validated with, hence the plain 404. */
export function overridePlugins(plugins: EntityDefinition, store: EntityStore): EndpointOverride[] {
  return [
    {
      template: `/${plugins.adminName}/{${plugins.name}}`,
      method: 'PATCH',
      wrap: (generated) => async (request) => {
        const isNamed = (request.input.members['name'] ?? null) !== null;
        const key = readEntityKey(plugins, request.captures[0] ?? '');
        if (!isNamed && (await findByKey(store, plugins, key)) === undefined) throw notFound();
        return generated(request);
      },
    },
  ];
}

export function pluginCatalogEndpoints(schemas: PluginSchemas): Endpoint[] {
  return [
    {
      template: '/plugins/enabled',
      methods: { GET: () => answerJson(200, { enabled_plugins: schemas.names() }) },
    },
    {
      template: '/plugins/schema/{name}',
      methods: {
        GET: ({ captures: [name = ''] }) => {
          const schema = schemas.get(name);
          if (schema === undefined) throw noPluginNamed(name);
          return answerJson(200, describePluginConfig(schema));
        },
      },
    },
  ];
}

export function noPluginNamed(name: string): AdminRefusal {
  return new AdminRefusal(404, `No plugin named '${name}'`);
}

/** Asked only when the request speaks of protocols, or a PATCH moves the plugin to another scope. */
export function pluginProtocolRule(routes: EntityDefinition, store: EntityStore): WriteRule {
  return async (row, input, operation) => {
    const concerned = operation === 'update' ? ['protocols', 'route', 'service'] : ['protocols'];
    if (!concerned.some((name) => Object.hasOwn(input, name))) return {};
    const routeId = referenceId(row, 'route');
    const serviceId = referenceId(row, 'service');
    const route = routeId === undefined ? undefined : await store.selectById(routes, routeId);
    const needsServiceRoutes = routeId === undefined && serviceId !== undefined;
    const serviceRoutes = needsServiceRoutes ? await routesOfService(routes, store, serviceId) : [];
    return checkPluginProtocols(row, route, serviceRoutes);
  };
}

async function routesOfService(
  routes: EntityDefinition,
  store: EntityStore,
  serviceId: string,
): Promise<readonly EntityRow[]> {
  const found: EntityRow[] = [];
  let offset: string | undefined;
  do {
    const parent = { field: 'service', id: serviceId };
    const page = await store.page(routes, {
      size: PAGE_SIZE,
      parent,
      ...(offset === undefined ? {} : { offset }),
    });
    found.push(...page.rows);
    offset = page.offset;
  } while (offset !== undefined);
  return found;
}

function referenceId(row: EntityRow, field: string): string | undefined {
  return (row[field] as { readonly id: string } | null)?.id;
}
