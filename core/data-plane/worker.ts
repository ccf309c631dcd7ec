/**
 * A worker thread: composes the request path out of its parts and serves. Everything it needs arrives by message;
 * it knows no database and opens no file.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Balancers } from '../balancing/balancers.ts';
import { createLocalCounters, type SharedIntegers } from '../counters/local-counters.ts';
import { redisFromUrl } from '../counters/redis-from-url.ts';
import { createSharedCounters } from '../counters/shared-counters.ts';
import { digest } from '../crypto/digest.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import { createFetcher } from '../egress/fetcher.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { nowMs } from '../gateway/now.ts';
import { createRefusal } from '../gateway/refuse-request.ts';
import { handleRequest } from '../gateway/request-flow.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import type { Ingress } from '../http/ingress.ts';
import { loadUws } from '../http/native-binding.ts';
import { startIngress } from '../http/start-ingress.ts';
import { createEnvironmentVault } from '../secrets/environment-vault.ts';
import { changeLevelFor, createLogger } from '../telemetry/logger.ts';
import { createTracer } from '../telemetry/tracing/tracer.ts';
import { createUpstreamClient } from '../upstream/forward.ts';
import { createRowFinder } from './find-row.ts';
import { compilePolicy } from './gateway-policy.ts';
import { createLaneFactory } from './lane-factory.ts';
import { createListenerTls } from './listener-tls.ts';
import { LiveConfiguration } from './live-configuration.ts';
import { logHealthChange } from './log-health-change.ts';
import { createNameLookUp } from './look-up-names.ts';
import type {
  Command,
  WorkerAnswer,
  WorkerCommand,
  WorkerMeasurements,
  WorkerMessage,
  WorkerStart,
} from './messages.ts';
import { describeNodeToPlugins } from './node-facts.ts';
import { PackageLanes } from './package-lanes.ts';
import { createTextReader } from './read-text.ts';
import { createClusterTaker } from './take-cluster-counters.ts';

const COUNTER_SWEEP_MS = 1000;
/** The kernel counts CPU time in hundredths of a second. */
const CPU_LOOK_MS = 1000;
const PULSE_MS = 1000;
const DRAIN_POLL_MS = 20;
/** What is counted in memory gets this long to be written down. */
const FLUSH_TIMEOUT_MS = 500;
/** Idle connections get this long to carry one more request, which is then answered with `Connection: close`. */
const DRAIN_LINGER_MS = 100;
/** What plugins have queued gets this long to be handed over. */
const QUEUE_DRAIN_MS = 5000;
/** Longer than this a node that stops does not wait for a backend of traces. */
const TRACE_FLUSH_MS = 3000;

const { boot, index, addresses } = workerData as WorkerStart;
const { settings } = boot;
const logger = createLogger(settings.logLevel, 'worker').child({ worker: index });
const policy = compilePolicy(settings, boot.version);
const renderRefusal = createRefusal(policy);
const finder = createRowFinder((request) => send({ worker: index, ...request }));
const counters = createLocalCounters(loadUws() as unknown as SharedIntegers);
const clusterTaker = createClusterTaker((request) => send({ kind: 'count', worker: index, ...request }));
const sharedCounters = createSharedCounters({
  takeInCluster: clusterTaker.take,
  redisEvents: {
    onLost: (server, reason) => logger.error({ redis: server, reason }, 'Redis cannot be reached'),
    onRecovered: (server) => logger.notice({ redis: server }, 'Redis answers again'),
  },
  nodeRedis: settings.redisUrl === undefined ? undefined : redisFromUrl(settings.redisUrl),
});
const fetchForPlugins = createFetcher();
const readSecret = createEnvironmentVault(process.env);
const client = createUpstreamClient({
  maxIdleConnections: settings.upstreamKeepalivePoolSize,
  maxRequestsPerConnection: settings.upstreamKeepaliveMaxRequests,
  idleTimeoutMs: settings.upstreamKeepaliveIdleTimeoutSeconds * 1000,
  lookUp: createNameLookUp(settings),
  staleNamesMs: settings.dnsStaleTtlSeconds * 1000,
  maxNames: settings.dnsCacheSize,
});
const balancers = new Balancers((change) => logHealthChange(logger, change));
balancers.take(addresses);
const tracer = createTracer({
  instrumentations: settings.tracingInstrumentations,
  samplingRate: settings.tracingSamplingRate,
  nodeId: boot.nodeId,
  version: boot.version,
  logger,
  nowMs,
});
const certificates = {
  read: createTextReader(readSecret),
  onUnreadable: (id: string, error: unknown) =>
    logger.error({ certificate: id, err: error }, 'a certificate cannot be used'),
};
const listenerTls = createListenerTls(boot.ownCertificate, settings, certificates);
let lanes: PackageLanes;
let live: LiveConfiguration;
let ingresses: readonly Ingress[] = [];
let requestsTotal = 0;
let inFlight = 0;
let isDraining = false;

const gateway: Gateway = {
  get lanes() {
    return lanes.byNumber;
  },
  policy,
  tracer,
  currentPlan: () => live.currentPlan(),
  findBalancer: (name) => balancers.find(name),
  forward: (request, events) => client.forward(request, events),
  retireGeneration: (generation) => live.retire(generation),
  logFailure: (requestId, message, detail) =>
    logger.error({ request_id: requestId, detail: lanes.explainStack(detail) }, message),
  requestEnded: () => {
    inFlight--;
  },
};

parentPort?.on('message', (message: WorkerCommand) => receive(message));

start().catch((error: unknown) => {
  send({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
});

async function start(): Promise<void> {
  setInterval(() => send({ kind: 'alive' }), PULSE_MS).unref();
  lanes = new PackageLanes(boot.bundles, {
    createLane: createLaneFactory({
      worker: index,
      limits: {
        memoryMb: settings.pluginMemoryMb,
        crossingTimeoutMs: settings.pluginTimeoutMs,
        phaseDeadlineMs: settings.pluginDeadlineMs,
        cacheEntries: settings.credentialCacheEntries,
        maxBodyBytes: settings.clientBodyBufferBytes,
      },
      services: {
        node: describeNodeToPlugins(
          boot.nodeId,
          settings.proxyListen.map(({ address }) => address),
          settings.trustedIps,
        ),
        findEntity: finder.find,
        listEntities: finder.list,
        crypto: { digest, verifySignature },
        fetch: fetchForPlugins,
        takeCounters: counters.take,
        takeSharedCounters: sharedCounters.take,
        exportTrace: (spanId: string, targetsJson: string) => tracer.export(spanId, targetsJson),
      },
      logger,
      onCatastrophe: (reason) => send({ kind: 'catastrophe', reason }),
    }),
    onUnavailable: ({ name, version }, error) =>
      logger.error(
        { package: name, package_version: version, err: error },
        'a package cannot be loaded or configured',
      ),
    onOverBudget: ({ name, version }) =>
      logger.error(
        { package: name, package_version: version, reason: 'cpu' },
        `a package uses more than ${settings.pluginCpuMs} ms of CPU a second`,
      ),
    onQuarantine: ({ name, version }, forMs) =>
      logger.error({ package: name, package_version: version, for_ms: forMs }, 'a package is in quarantine'),
  });
  live = new LiveConfiguration(boot, {
    lanes,
    balancers,
    listenerTls,
    certificates,
    readSecret,
    prepareTraces: () => tracer.prepare(),
    logger,
  });
  await live.start();
  setInterval(() => {
    counters.sweep(Date.now());
    sharedCounters.sweep(Date.now());
  }, COUNTER_SWEEP_MS).unref();
  if (settings.pluginCpuMs > 0) {
    setInterval(() => lanes.chargeCpu(settings.pluginCpuMs), CPU_LOOK_MS).unref();
  }
  ingresses = await Promise.all(
    settings.proxyListen.map(({ address, port, isStrict, speaksHttp2, isSecure }) =>
      startIngress({
        address,
        port,
        isStrict,
        speaksHttp2,
        tls: isSecure ? listenerTls.options : undefined,
        handler: serve,
        renderRefusal,
        isDraining: () => isDraining,
        onHandlerError: (error) => logger.error({ err: error }, 'a request could not be handled'),
        maxBodyBytes: settings.clientMaxBodyBytes,
        maxHeldBodyBytes: settings.clientBodyBufferBytes,
        idleTimeoutSeconds: settings.clientKeepaliveSeconds,
        clientTimeoutMs: settings.clientTimeoutSeconds * 1000,
      }),
    ),
  );
  setInterval(() => {}, 2000).unref();
  send({ kind: 'ready', packages: lanes.bundledManifests });
}

function serve(exchange: ClientExchange): void {
  requestsTotal++;
  inFlight++;
  try {
    handleRequest(exchange, gateway);
  } catch (error) {
    inFlight--;
    const { status, headers, body, requestId } = renderRefusal('GW_INTERNAL', exchange);
    logger.error({ request_id: requestId, err: error }, 'a request could not be handled');
    exchange.send(status, headers, body);
  }
}

function receive(message: WorkerCommand): void {
  switch (message.kind) {
    case 'addresses':
      balancers.take(message.upstreams);
      break;
    case 'found':
    case 'listed':
    case 'find-failed':
      finder.settle(message);
      break;
    case 'counted':
    case 'count-failed':
      clusterTaker.settle(message);
      break;
    case 'drain':
      drain();
      break;
    default:
      void answer(message.number, () => execute(message));
  }
}

function execute(command: Exclude<Command, { kind: 'drain' }>): WorkerAnswer | Promise<WorkerAnswer> {
  switch (command.kind) {
    case 'snapshot':
      live.replace(command.snapshot);
      return {};
    case 'update':
      live.update(command.update);
      return {};
    case 'stage':
      return whenDone(live.stage(command.version));
    case 'packages':
      return whenDone(live.usePackages(command.packages));
    case 'log-level':
      changeLevelFor(logger, command.level, command.timeoutSeconds, settings.logLevel);
      return {};
    case 'measure':
      return measure();
  }
}

async function answer(number: number, run: () => WorkerAnswer | Promise<WorkerAnswer>): Promise<void> {
  try {
    const result = run();
    // Whoever waits for a change should not wait for the queue of promises too.
    send({ kind: 'done', number, answer: result instanceof Promise ? await result : result });
  } catch (error) {
    send({ kind: 'done', number, answer: { error: error instanceof Error ? error.message : String(error) } });
  }
}

async function whenDone(change: Promise<void>): Promise<WorkerAnswer> {
  await change;
  return {};
}

async function measure(): Promise<WorkerAnswer> {
  const deltas = await lanes.collectMetrics();
  return { measurements: describeWorker(deltas) };
}

function describeWorker(deltas: WorkerMeasurements['deltas']): WorkerMeasurements {
  const sum = (read: (ingress: Ingress) => number) =>
    ingresses.reduce((total, ingress) => total + read(ingress), 0);
  return {
    worker: index,
    deltas,
    requestsTotal,
    connections: {
      accepted: sum(({ connections }) => connections.accepted),
      active: sum(({ connections }) => connections.active),
      writing: inFlight,
    },
    heapUsedBytes: process.memoryUsage().heapUsed,
    snapshotVersion: live.snapshot.version,
    sequence: live.snapshot.sequence,
    sandboxes: lanes.measure(),
  };
}

/** New connections go elsewhere, answers close theirs, and the thread ends when the last one is out. */
function drain(): void {
  if (isDraining) return;
  isDraining = true;
  for (const ingress of ingresses) ingress.stopAccepting();
  const startedAtMs = Date.now();
  const timer = setInterval(() => {
    const elapsedMs = Date.now() - startedAtMs;
    const isQuiet = inFlight === 0 && elapsedMs >= DRAIN_LINGER_MS;
    if (!isQuiet && elapsedMs < settings.shutdownTimeoutSeconds * 1000) return;
    clearInterval(timer);
    for (const ingress of ingresses) ingress.close();
    client.close();
    void finish().finally(() => process.exit(0));
  }, DRAIN_POLL_MS);
}

/** Behind the last request. What plugins do with what they have queued may count, and be traced. */
async function finish(): Promise<void> {
  // Asking what they have counted takes the last records of the log across, to other processes too.
  await Promise.race([lanes.collectMetrics(), delay(FLUSH_TIMEOUT_MS)]);
  await lanes.drain(QUEUE_DRAIN_MS);
  const written = Promise.race([sharedCounters.flush(), delay(FLUSH_TIMEOUT_MS)]);
  await Promise.allSettled([written, tracer.shutdown(TRACE_FLUSH_MS)]);
  lanes.dispose();
}

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
