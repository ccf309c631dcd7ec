/** A Redis client out of a plugin's settings: one server, a group of sentinels, or a cluster. It connects when asked to. */
import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../../sdk/protocol/counter-store.ts';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 6379;
const DEFAULT_TIMEOUT_MS = 2000;
const DEFAULT_REDIRECTIONS = 5;
/** How long a connection that is given up may take to say goodbye. */
const DISCONNECT_TIMEOUT_MS = 100;

/** Replies are numbers and lists whichever way they are mapped. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** Whoever holds a client decides when it connects again, so none does so by itself. */
const NEVER = () => null;

export function createRedisClient(settings: RedisSettings): Redis | Cluster {
  const options = connectionOptions(settings);
  if (isRedisCluster(settings)) {
    const nodes = (settings.cluster_nodes ?? []).map(({ ip, port }) => ({
      host: ip ?? DEFAULT_HOST,
      port: port ?? DEFAULT_PORT,
    }));
    return new Cluster(nodes, {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: NEVER,
      maxRedirections: settings.cluster_max_redirections ?? DEFAULT_REDIRECTIONS,
      slotsRefreshTimeout: timeoutOf(settings),
      redisOptions: options,
    });
  }
  const unshared: ConnectionOptions = {
    ...options,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: NEVER,
    db: settings.database ?? 0,
  };
  if (settings.sentinel_nodes?.length) {
    return new Redis({
      ...unshared,
      sentinels: settings.sentinel_nodes.map(({ host, port }) => ({
        host: host ?? DEFAULT_HOST,
        port: port ?? DEFAULT_PORT,
      })),
      name: settings.sentinel_master ?? '',
      role: settings.sentinel_role === 'slave' ? 'slave' : 'master',
      sentinelRetryStrategy: NEVER,
      sentinelCommandTimeout: timeoutOf(settings),
      ...loginOf('sentinelUsername', settings.sentinel_username),
      ...loginOf('sentinelPassword', settings.sentinel_password),
      ...(options.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
    });
  }
  return new Redis({
    ...unshared,
    host: settings.host ?? DEFAULT_HOST,
    port: settings.port ?? DEFAULT_PORT,
  });
}

/** Its keys live on several servers, so that one script cannot touch two of them. */
export function isRedisCluster(settings: RedisSettings): boolean {
  return (settings.cluster_nodes?.length ?? 0) > 0;
}

/** For operators: hosts and ports and nothing else. */
export function describeRedis(settings: RedisSettings): string {
  const nodes = settings.cluster_nodes?.map(({ ip, port }) => [ip, port] as const) ??
    settings.sentinel_nodes?.map(({ host, port }) => [host, port] as const) ?? [
      [settings.host, settings.port] as const,
    ];
  return nodes.map(([host, port]) => `${host ?? DEFAULT_HOST}:${port ?? DEFAULT_PORT}`).join(',');
}

/** In ms, at least 1. */
export function timeoutOf(settings: RedisSettings): number {
  return Math.max(1, settings.timeout ?? DEFAULT_TIMEOUT_MS);
}

/** What every connection needs, whatever it leads to. */
function connectionOptions(settings: RedisSettings): ConnectionOptions {
  return {
    connectTimeout: timeoutOf(settings),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    // Counting twice what may have been counted already would be worse than not to know.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    protocol: 2,
    disableClientInfo: true,
    ...loginOf('username', settings.username),
    ...loginOf('password', settings.password),
    ...(settings.ssl === true && { tls: tlsOptions(settings) }),
  };
}

function tlsOptions({ ssl_verify, server_name, host }: RedisSettings): NonNullable<RedisOptions['tls']> {
  const servername = server_name ?? (host && isIP(host) === 0 ? host : undefined);
  return { rejectUnauthorized: ssl_verify === true, ...(servername !== undefined && { servername }) };
}

function loginOf<Name extends string>(
  name: Name,
  value: string | null | undefined,
): { [Key in Name]?: string } {
  return (value ? { [name]: value } : {}) as { [Key in Name]?: string };
}
