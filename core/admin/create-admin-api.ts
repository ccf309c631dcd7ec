/**
 * The Admin API as one Fastify app: endpoints generated from the entities, the exceptions on top, and the node's
 * own. Everything it needs arrives as an argument; it starts nothing and listens to nothing by itself.
 */
import type { FastifyInstance } from 'fastify';
import type { ConfigurationChange } from '../entities/configuration-change.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import type { PluginSchemas } from '../entities/plugin-schemas.ts';
import type { PackagePublisher } from '../packages/package-publisher.ts';
import type { EntityStore } from '../store/entity-store.ts';
import { answerText, type Endpoint } from './admin-exchange.ts';
import { followEntities, isPublished, withoutTaken } from './changing-endpoints.ts';
import { createHttpApp, type ErrorLogger } from './create-http-app.ts';
import { createEntityWrites, type EntityWrites } from './entity-writes.ts';
import { generateEndpoints } from './generated-endpoints.ts';
import { layerEndpoints } from './layer-endpoints.ts';
import { listEndpoints } from './list-endpoints.ts';
import { logLevelEndpoints } from './log-level.ts';
import { nodeEndpoints } from './node-endpoints.ts';
import type { NodeInformation } from './node-information.ts';
import { overrideCaCertificates, overrideCertificates } from './overrides/certificates.ts';
import { overrideConsumers } from './overrides/consumers.ts';
import { overridePluginSandbox } from './overrides/plugin-sandbox.ts';
import { overridePlugins, pluginCatalogEndpoints, pluginProtocolRule } from './overrides/plugins.ts';
import { targetHealthEndpoints } from './overrides/target-health.ts';
import { allTargetsEndpoint, createTargetFinder, overrideTargets } from './overrides/targets.ts';
import { pluginPackageEndpoints } from './plugin-package-endpoints.ts';
import { sandboxEndpoint } from './sandbox-endpoint.ts';
import { schemasEndpoints } from './schemas-endpoints.ts';
import { tagsEndpoints } from './tags-endpoints.ts';
import { DISABLED_TEMPLATES, unavailableEndpoints } from './unavailable-endpoints.ts';

/** The plugins this node has loaded; may change while it runs. */
export interface PluginCatalog extends PluginSchemas {
  /** What `GET /` shows of a loaded plugin. */
  info(name: string): { readonly version: string; readonly priority: number } | undefined;
}

export interface AdminDependencies {
  /** Parents before children, as core/entities/registry.ts lists them. Those of published packages come and go. */
  readonly entities: readonly EntityDefinition[];
  readonly store: EntityStore;
  readonly plugins: PluginCatalog;
  /** Called after every successful write; the answer waits until it resolves. */
  readonly publish: (change: ConfigurationChange) => Promise<void>;
  /** Resolves when this node has acted on everything that was announced. */
  readonly publishEvents: () => Promise<void>;
  readonly node: NodeInformation;
  /** Absent: packages cannot be published. */
  readonly packages?: PackagePublisher;
  /** The gateway's logger; `/debug/node/log-level` sets its `level`. */
  readonly logger: ErrorLogger & { level: string };
  /** Default: both tokens are sent, and every origin is allowed. */
  readonly transport?: {
    /** Whether `Server` is sent. */
    readonly showsServer?: boolean;
    /** Whether `X-Kong-Admin-Latency` is sent. */
    readonly showsLatency?: boolean;
    /** Origins of the console; empty: every origin is echoed. */
    readonly guiOrigins?: readonly string[];
  };
}

/** Not listening yet. Throws when one of the core entities is missing. */
export function createAdminApi(dependencies: AdminDependencies): FastifyInstance {
  const { node, logger, transport = {} } = dependencies;
  const { entities, store } = dependencies;
  const writes = createWrites(dependencies);
  const fixed = listFixedEndpoints(dependencies, writes);
  const table = followEntities(entities, (published) => {
    const reachable = published.filter((entity) => entity.published?.hasEndpoints);
    const generated = generateEndpoints(reachable, { store, writes }, entities);
    const endpoints = [...fixed, ...withoutTaken(generated, fixed)];
    return [...endpoints, listEndpoints(endpoints), robotsEndpoint()];
  });
  return createHttpApp(table, {
    serverToken: (transport.showsServer ?? true) ? `tollgate/${node.version}` : undefined,
    showsLatency: transport.showsLatency ?? true,
    guiOrigins: transport.guiOrigins ?? [],
    logger,
  });
}

function listFixedEndpoints(dependencies: AdminDependencies, writes: EntityWrites): Endpoint[] {
  const { store, plugins, node, entities } = dependencies;
  const own = entities.filter((entity) => !isPublished(entity));
  const pluginEntity = requireEntity(entities, 'plugins');
  const targets = requireEntity(entities, 'targets');
  const generated = generateEndpoints(own, { store, writes }).filter(
    ({ template }) => !DISABLED_TEMPLATES.includes(template),
  );
  const targetFinder = createTargetFinder(requireEntity(entities, 'upstreams'), targets, store);
  const overrides = [
    ...overrideConsumers(requireEntity(entities, 'consumers'), store),
    ...overridePlugins(pluginEntity, store),
    ...sandboxOverrides(node, pluginEntity, own),
    ...overrideTargets(targets, targetFinder, writes),
    ...overrideCertificates(
      {
        certificates: requireEntity(entities, 'certificates'),
        snis: requireEntity(entities, 'snis'),
        store,
        writes,
      },
      generated.map(({ template }) => template),
    ),
    ...overrideCaCertificates(
      { services: requireEntity(entities, 'services'), plugins: pluginEntity },
      store,
    ),
  ];
  const overview = {
    available: () => plugins.names().flatMap((name) => describeAvailable(plugins, name)),
    configuredNames: async () => {
      const rows = await store.all(pluginEntity);
      return [...new Set(rows.map((row) => String(row['name'])))];
    },
  };
  return [
    ...layerEndpoints(generated, overrides),
    allTargetsEndpoint(targets, targetFinder, store),
    ...targetHealthEndpoints({
      finder: targetFinder,
      store,
      nodeId: node.id,
      findHealth: async (upstreamId) => node.upstreamHealth?.(upstreamId),
      publish: dependencies.publishEvents,
    }),
    ...pluginCatalogEndpoints(plugins),
    ...schemasEndpoints(entities, plugins),
    ...tagsEndpoints(store),
    ...nodeEndpoints(node, overview),
    ...logLevelEndpoints({ logger: dependencies.logger, announce: node.announceLogLevel }),
    ...(dependencies.packages === undefined ? [] : pluginPackageEndpoints(dependencies.packages)),
    ...(node.sandboxes === undefined ? [] : [sandboxEndpoint(node.sandboxes)]),
    ...unavailableEndpoints(),
  ];
}

function sandboxOverrides(
  { packageOf, sandboxes }: NodeInformation,
  plugins: EntityDefinition,
  entities: readonly EntityDefinition[],
) {
  if (packageOf === undefined || sandboxes === undefined) return [];
  return overridePluginSandbox(plugins, entities, { packageOf, sandboxes });
}

function createWrites({ entities, store, publish }: AdminDependencies) {
  return createEntityWrites({
    store,
    publish,
    findDefinition: (name) => entities.find((definition) => definition.name === name),
    rules: { plugins: pluginProtocolRule(requireEntity(entities, 'routes'), store) },
  });
}

function requireEntity(entities: readonly EntityDefinition[], name: string): EntityDefinition {
  const found = entities.find((definition) => definition.name === name);
  if (found === undefined) throw new Error(`the Admin API cannot do without the entity '${name}'`);
  return found;
}

function describeAvailable(plugins: PluginCatalog, name: string) {
  const info = plugins.info(name);
  return info === undefined ? [] : [{ name, version: info.version, priority: info.priority }];
}

/** Answered, but no part of what `/endpoints` lists (contract/admin-api.md section 1.1). */
function robotsEndpoint(): Endpoint {
  return {
    template: '/robots.txt',
    methods: { GET: () => answerText(200, 'text/plain', 'User-agent: *\nDisallow: /') },
  };
}
