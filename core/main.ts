/**
 * The composition root of the control process: settings, database, data plane, Admin API, in that order and by
 * plain calls. `startNode` is what `tollgate start` runs.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { PackageManifest } from '../sdk/protocol/manifest.ts';
import { createAdminApi } from './admin/create-admin-api.ts';
import { createStatusApi } from './admin/create-status-api.ts';
import type { PackageOfPlugin } from './admin/overrides/plugin-sandbox.ts';
import { announceStart } from './announce-start.ts';
import { checkPorts } from './check-ports.ts';
import { NodeConfiguration } from './config/node-configuration.ts';
import { createReplaceableCatalog } from './config/plugin-catalog.ts';
import { waiveChecks } from './config/waive-checks.ts';
import { createClusterCounters } from './counters/cluster-counters.ts';
import { createKeyring } from './crypto/keyring.ts';
import { inspectPackage, migrateRows } from './data-plane/inspect-package.ts';
import { DataPlane } from './data-plane/supervisor.ts';
import type { EntityDefinition } from './entities/define-entity.ts';
import { createEntityRegistry } from './entities/entity-registry.ts';
import { listEntities } from './entities/registry.ts';
import { createNodeState } from './node-state.ts';
import { loadOwnCertificate } from './own-certificate.ts';
import { listPublishedEntities } from './packages/package-entities.ts';
import { createPackageFile } from './packages/package-file.ts';
import { PackagePublisher } from './packages/package-publisher.ts';
import { RunningPackages } from './packages/running-packages.ts';
import { bundlePackage, releaseBundler } from './sandbox/bundle-package.ts';
import { BUNDLED_PACKAGE } from './sandbox/bundled-package.ts';
import type { IsolateLimits } from './sandbox/isolate-limits.ts';
import { describeConfiguration } from './settings/describe-configuration.ts';
import type { Settings } from './settings/load-settings.ts';
import { locateDatabase, locatePackagesFile, locateSnapshotFile } from './settings/locate-database.ts';
import { expandHeaderTokens } from './settings/response-headers.ts';
import { decodeEncryptionKey } from './settings/setting-kind.ts';
import { createCounterTable } from './store/counter-table.ts';
import { closeDatabase, databaseIdentity, openDatabase } from './store/database.ts';
import { assertKnownSchema, prepareSchema } from './store/migrator.ts';
import { createPackageDocuments } from './store/package-arrangement.ts';
import { createPluginPackageTable } from './store/plugin-package-table.ts';
import { logUncaught } from './telemetry/log-uncaught.ts';
import { createLogger } from './telemetry/logger.ts';

const PURGE_INTERVAL_MS = 60_000;
const ENCRYPTION_KEY_VARIABLE = 'TOLLGATE_ENCRYPTION_KEY';

export interface RunningNode {
  /** Drains the data plane, then closes the rest. No request under way is lost. */
  stop(): Promise<void>;
}

/** Resolves when the node serves and its Admin API answers. Throws with a message for the operator when it cannot. */
export async function startNode(settings: Settings): Promise<RunningNode> {
  const logger = createLogger(settings.logLevel, 'control');
  logUncaught(logger);
  const version = readVersion();
  const nodeId = settings.nodeId ?? randomUUID();

  await checkPorts(settings);
  const ownCertificate = await loadOwnCertificate(settings);
  const location = locateDatabase(settings);
  const database = await openDatabase(location);

  const catalog = createReplaceableCatalog(enabledPlugins(settings));
  const waived = settings.redisUrl === undefined ? [] : ['redis_url'];
  const registry = createEntityRegistry(listEntities(catalog));
  const { entities } = registry;
  const packageTable = createPluginPackageTable(database);
  let bundled: readonly PackageManifest[] = [];
  const running = new RunningPackages({
    table: packageTable,
    ...(database.kind === 'postgres' && {
      file: createPackageFile(locatePackagesFile(settings), databaseIdentity(location)),
    }),
    beforeUse: (published) => registry.replacePublished(published.flatMap(listPublishedEntities)),
    onChange: (published) => catalog.replace(waiveChecks([...bundled, ...published], waived)),
    logger,
  });
  // Plugins run in a process that would inherit it.
  delete process.env[ENCRYPTION_KEY_VARIABLE];
  const cipher = createKeyring(decodeKeys(settings), logOnce(logger));
  const configuration = new NodeConfiguration({
    database,
    entities,
    cipher,
    loadPackages: async (isDatabaseThere) => void (await running.load(isDatabaseThere)),
    prepareSchema: () => prepareSchema(database),
    assertSchema: () => assertKnownSchema(database),
    pollSeconds: settings.dbUpdateFrequencySeconds,
    maxRows: settings.entityCacheRows,
    ...(database.kind === 'postgres' && {
      snapshotFile: { path: locateSnapshotFile(settings), database: databaseIdentity(location) },
    }),
    logger,
  });
  await configuration.load();

  const counterTable = createCounterTable(database);
  const clusterCounters = createClusterCounters(counterTable, {
    onLost: (reason) => logger.error({ reason }, 'the database cannot be counted in'),
    onRecovered: () => logger.notice('the database can be counted in again'),
  });
  const { snapshot } = configuration;
  const bundles = [await bundlePackage(BUNDLED_PACKAGE)];
  await releaseBundler();
  const boot = {
    // Plugins run where this goes.
    settings: { ...settings, encryptionKeys: undefined },
    nodeId,
    version,
    ownCertificate,
    bundles,
    packages: running.running,
    snapshot,
  };
  const services = {
    findRow: configuration.findRow,
    listRows: configuration.listRows,
    countInCluster: clusterCounters.takeAll,
  };
  const dataPlane = new DataPlane(boot, services, logger);
  bundled = await dataPlane.start();
  configuration.follow(running.follow(dataPlane, dataPlane), snapshot);

  const state = createNodeState({
    nodeId,
    version,
    store: configuration.store,
    dataPlane,
    catalog,
    configuration,
  });
  const plugins = entities.find(({ name }) => name === 'plugins') as EntityDefinition;
  const packages = new PackagePublisher({
    table: packageTable,
    running,
    bundled,
    documents: createPackageDocuments(database),
    cipher,
    inspect: (artefact) => inspectPackage({ artefact, limits: inspectionLimits(settings) }),
    migrate: (artefact, migrations) =>
      migrateRows({ artefact, limits: inspectionLimits(settings), migrations }),
    storedPlugins: () => configuration.store.all(plugins),
    publishChange: configuration.publishChange,
  });
  const shownHeaders = expandHeaderTokens(settings.headers);
  const admin = createAdminApi({
    entities,
    store: configuration.store,
    plugins: catalog,
    publish: configuration.publishChange,
    publishEvents: configuration.publishChange,
    node: {
      id: nodeId,
      hostname: hostname(),
      version,
      configuration: () => describeConfiguration(settings),
      pids: () => ({ master: process.pid, workers: dataPlane.pid === undefined ? [] : [dataPlane.pid] }),
      status: state.status,
      metrics: state.metrics,
      sandboxes: state.sandboxes,
      upstreamHealth: async (upstreamId) => (await dataPlane.describeHealth(upstreamId))[0],
      packageOf: (plugin) => describeOwner(running, plugin),
      announceLogLevel: (level, _scope, timeoutSeconds) => dataPlane.setLogLevel(level, timeoutSeconds),
    },
    packages,
    logger,
    transport: {
      showsServer: shownHeaders.has('Server'),
      showsLatency: shownHeaders.has('X-Kong-Admin-Latency'),
      guiOrigins: settings.adminGuiUrls ?? [],
    },
  });
  const status = createStatusApi({ ...state, version, logger });
  await Promise.all([listenOn(admin, settings.adminListen), listenOn(status, settings.statusListen)]);
  const purge = setInterval(() => {
    counterTable.purgeExpired().catch(() => {});
  }, PURGE_INTERVAL_MS).unref();
  announceStart(settings, version);

  return {
    async stop() {
      clearInterval(purge);
      await dataPlane.stop();
      await Promise.all([admin.close(), status.close()]);
      clusterCounters.close();
      await configuration.stop();
      await closeDatabase(database);
    },
  };
}

/** Fastify listens once per instance; further addresses share its server's handler. */
async function listenOn(
  app: ReturnType<typeof createStatusApi>,
  listeners: Settings['adminListen'],
): Promise<void> {
  const [first, ...others] = listeners;
  if (others.length > 0) throw new Error('only one address is available for this listener in this version');
  if (first !== undefined) await app.listen({ host: first.address, port: first.port });
}

function enabledPlugins(settings: Settings): ReadonlySet<string> | undefined {
  return settings.plugins.includes('bundled') ? undefined : new Set(settings.plugins);
}

function describeOwner(running: RunningPackages, plugin: string): PackageOfPlugin | undefined {
  const owner = running.packageOf(plugin);
  if (owner === undefined) return undefined;
  const { version, digest } = owner.current;
  return { name: owner.name, version, digest, problem: running.problemOf(owner.name) };
}

function decodeKeys({ encryptionKeys = [] }: Settings): readonly Buffer[] {
  return encryptionKeys.flatMap((key) => decodeEncryptionKey(key) ?? []);
}

/** Each key is told of once, however many values it takes. */
function logOnce(logger: ReturnType<typeof createLogger>): (keyId: string) => void {
  const told = new Set<string>();
  return (keyId) => {
    if (told.has(keyId)) return;
    told.add(keyId);
    logger.error({ key_id: keyId }, 'an encrypted value cannot be read with the keys this node has');
  };
}

/** A process that does nothing else may take its time to load. */
function inspectionLimits(settings: Settings): IsolateLimits {
  return {
    memoryMb: settings.pluginMemoryMb,
    crossingTimeoutMs: 1000,
    phaseDeadlineMs: settings.pluginDeadlineMs,
    loadTimeoutMs: 2000,
    cacheEntries: settings.credentialCacheEntries,
    maxBodyBytes: settings.clientBodyBufferBytes,
  };
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}
