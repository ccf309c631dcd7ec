/** Endpoints about the node itself: `/`, `/status`, `/metrics`, `/timers`, `/cache` (contract/admin-api.md section 6). */
import { type AdminAnswer, answerJson, answerText, type Endpoint, NO_CONTENT } from './admin-exchange.ts';
import { notFound } from './admin-refusal.ts';
import type { NodeCache, NodeInformation } from './node-information.ts';
import { answerStatus, readByteFormat } from './node-status.ts';

/** What decK, Kong Manager and scripts parse: the version of the contract, not ours. */
const CONTRACT_VERSION = '3.9.1';
const METRICS_TYPE = 'text/plain; charset=UTF-8';

/** The plugin side of `GET /`. */
export interface PluginOverview {
  available(): readonly { readonly name: string; readonly version: string; readonly priority: number }[];
  /** Distinct names of configured plugins. */
  configuredNames(): Promise<readonly string[]>;
}

export function nodeEndpoints(node: NodeInformation, plugins: PluginOverview): Endpoint[] {
  return [
    { template: '/', methods: { GET: () => answerRoot(node, plugins) } },
    statusEndpoint(node),
    metricsEndpoint(node),
    { template: '/timers', methods: { GET: () => answerTimers(node) } },
    ...cacheEndpoints(node.cache),
  ];
}

export function statusEndpoint(node: Pick<NodeInformation, 'status'>): Endpoint {
  return {
    template: '/status',
    methods: {
      GET: async ({ query }) => {
        const format = readByteFormat(query);
        return answerStatus(await node.status(), format);
      },
    },
  };
}

export function metricsEndpoint(node: Pick<NodeInformation, 'metrics'>): Endpoint {
  return {
    template: '/metrics',
    methods: { GET: async () => answerText(200, METRICS_TYPE, await node.metrics()) },
  };
}

async function answerRoot(node: NodeInformation, plugins: PluginOverview): Promise<AdminAnswer> {
  const available = plugins.available().map(({ name, version, priority }) => [name, { version, priority }]);
  return answerJson(200, {
    version: CONTRACT_VERSION,
    edition: 'community',
    tagline: 'Welcome to tollgate',
    hostname: node.hostname,
    node_id: node.id,
    lua_version: `none (V8 ${process.versions.v8})`,
    pids: node.pids(),
    timers: countTimers(),
    plugins: {
      available_on_server: Object.fromEntries(available),
      enabled_in_cluster: await plugins.configuredNames(),
    },
    configuration: node.configuration(),
    tollgate: { version: node.version },
  });
}

/** Timers of the event loop wait until they run to completion, so none is ever seen running. */
function countTimers(): { readonly running: number; readonly pending: number } {
  const pending = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  return { running: 0, pending };
}

function answerTimers(node: NodeInformation): AdminAnswer {
  const { running, pending } = countTimers();
  return answerJson(200, {
    worker: { id: 0, count: node.pids().workers.length },
    stats: {
      flamegraph: { running: '', pending: '', elapsed_time: '' },
      sys: { total: running + pending, runs: 0, running, pending, waiting: 0 },
      timers: {},
    },
  });
}

function cacheEndpoints(cache: NodeCache | undefined): Endpoint[] {
  return [
    {
      template: '/cache',
      methods: {
        DELETE: async () => {
          await cache?.clear();
          return NO_CONTENT;
        },
      },
    },
    {
      template: '/cache/{key}',
      methods: {
        GET: async ({ captures: [key = ''] }) => {
          const value = await cache?.get(key);
          if (value === undefined) throw notFound();
          const isObject = typeof value === 'object' && value !== null;
          return answerJson(200, isObject ? value : { message: value });
        },
        DELETE: async ({ captures: [key = ''] }) => {
          await cache?.delete(key);
          return NO_CONTENT;
        },
      },
    },
  ];
}
