/** Counters that several nodes share, as a worker reaches them: each store by its settings, connections made on demand. */
import type { RedisSettings, SharedCounterStore } from '../../sdk/protocol/counter-store.ts';
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import { RedisConnection, type RedisEvents } from './redis-connection.ts';
import { takeInRedis } from './redis-counters.ts';
import { SyncedCounters } from './synced-counters.ts';

/** A connection nobody has used for this long is closed: a configuration that is gone leaves nothing behind. */
const IDLE_MS = 60_000;
const MAX_CONNECTIONS = 100;

export type Take = (windows: readonly WindowArgument[], cost: number) => Promise<readonly number[]>;

export interface SharedCounters {
  /**
   * Counts as sdk/counters.ts says; the same `store` object stands for the same store. Rejects when the store cannot
   * be asked; the message says why and where, and holds no secret.
   */
  take(
    store: SharedCounterStore,
    windows: readonly WindowArgument[],
    cost: number,
  ): Promise<readonly number[]>;
  /** Closes what is no longer used. Call it every second. */
  sweep(nowMs: number): void;
  /** Writes down what is only remembered. Never rejects, and takes no longer than Redis may take to answer. */
  flush(): Promise<void>;
}

export interface SharedCounterParts {
  /** Counters in the gateway's own database. */
  readonly takeInCluster: Take;
  readonly redisEvents: RedisEvents;
  /** The Redis of stores that name none. */
  readonly nodeRedis?: RedisSettings | undefined;
}

export function createSharedCounters({
  takeInCluster,
  redisEvents,
  nodeRedis,
}: SharedCounterParts): SharedCounters {
  const connections = new Map<string, RedisConnection>();
  const synced = new Map<
    string,
    { readonly connection: RedisConnection; readonly counters: SyncedCounters }
  >();
  let takes = new WeakMap<SharedCounterStore, Take>();

  const connectionTo = (settings: string, redis: RedisSettings): RedisConnection => {
    let connection = connections.get(settings);
    if (connection === undefined) {
      if (connections.size >= MAX_CONNECTIONS) throw new Error('too many Redis connections');
      connection = new RedisConnection(redis, redisEvents);
      connections.set(settings, connection);
    }
    return connection;
  };

  const syncedWith = (settings: string, connection: RedisConnection, syncRate: number): SyncedCounters => {
    const name = `${syncRate} ${settings}`;
    let known = synced.get(name);
    if (known === undefined) {
      known = { connection, counters: new SyncedCounters(connection, syncRate) };
      synced.set(name, known);
    }
    return known.counters;
  };

  const takeOf = (store: SharedCounterStore): Take => {
    if (store.kind === 'cluster') return takeInCluster;
    const redis = locateRedis(store.redis, nodeRedis);
    const settings = JSON.stringify(redis);
    const connection = connectionTo(settings, redis);
    const { syncRate = -1 } = store;
    if (syncRate === -1) return (windows, cost) => takeInRedis(connection, windows, cost);
    const counters = syncedWith(settings, connection, syncRate);
    return (windows, cost) => counters.take(windows, cost);
  };

  return {
    async take(store, windows, cost) {
      let take = takes.get(store);
      if (take === undefined) {
        take = takeOf(store);
        takes.set(store, take);
      }
      return take(windows, cost);
    },
    sweep(nowMs) {
      for (const [settings, connection] of connections) {
        if (nowMs - connection.lastUsedAtMs < IDLE_MS) continue;
        connections.delete(settings);
        takes = new WeakMap();
        const flushes: Promise<void>[] = [];
        for (const [name, known] of synced) {
          if (known.connection !== connection) continue;
          synced.delete(name);
          flushes.push(known.counters.flush());
        }
        void Promise.all(flushes).then(() => connection.close());
      }
    },
    async flush() {
      await Promise.all([...synced.values()].map(({ counters }) => counters.flush()));
    },
  };
}

/** A store that names no server is on the node's own. */
function locateRedis(named: RedisSettings, nodeRedis: RedisSettings | undefined): RedisSettings {
  if (named.host || named.cluster_nodes?.length || named.sentinel_nodes?.length) return named;
  if (nodeRedis === undefined) throw new Error('no Redis is named, and REDIS_URL is not set');
  return { ...nodeRedis, timeout: named.timeout ?? null };
}
