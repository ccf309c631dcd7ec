/** Where counters can be kept besides the node itself, as plugins say it and as it crosses the wall: a line of JSON. */

/** A Redis server, a group of sentinels or a cluster. The members of a plugin's `redis` record, as they are. */
export interface RedisSettings {
  /** Host name or address. Without it, `cluster_nodes` and `sentinel_nodes` the Redis of the gateway's `REDIS_URL`. */
  readonly host?: string | null;
  /** Default 6379. */
  readonly port?: number | null;
  /** Of connecting and of each answer, in ms. Default 2000. */
  readonly timeout?: number | null;
  readonly username?: string | null;
  readonly password?: string | null;
  /** Default 0. */
  readonly database?: number | null;
  /** Default false. */
  readonly ssl?: boolean | null;
  /** Whether the server's certificate is checked. Default false. */
  readonly ssl_verify?: boolean | null;
  /** Name to ask for in the handshake. */
  readonly server_name?: string | null;
  readonly cluster_nodes?: readonly { readonly ip?: string | null; readonly port?: number | null }[] | null;
  /** How many times one command follows a moved key. Default 5. */
  readonly cluster_max_redirections?: number | null;
  readonly sentinel_nodes?:
    | readonly { readonly host?: string | null; readonly port?: number | null }[]
    | null;
  readonly sentinel_master?: string | null;
  /** Default `master`. `any` is the master too: counting writes. */
  readonly sentinel_role?: 'master' | 'slave' | 'any' | null;
  readonly sentinel_username?: string | null;
  readonly sentinel_password?: string | null;
}

/** Counters in Redis, shared by every node that uses the same server. */
export interface RedisCounterStore {
  readonly kind: 'redis';
  readonly redis: RedisSettings;
  /**
   * Seconds between exchanges with Redis, at least 0.02: in between a worker decides from memory. -1, the default,
   * counts in Redis at each call.
   */
  readonly syncRate?: number;
}

/** Counters in the database of the gateway, shared by every node on it. */
export interface ClusterCounterStore {
  readonly kind: 'cluster';
}

export type SharedCounterStore = RedisCounterStore | ClusterCounterStore;

export const MIN_SYNC_RATE_SECONDS = 0.02;

const TEXTS = [
  'host',
  'username',
  'password',
  'server_name',
  'sentinel_master',
  'sentinel_role',
  'sentinel_username',
  'sentinel_password',
] as const;
const WHOLE_NUMBERS = ['port', 'timeout', 'database', 'cluster_max_redirections'] as const;
const SWITCHES = ['ssl', 'ssl_verify'] as const;
const MAX_TEXT_LENGTH = 4096;
const MAX_NODES = 64;
const MAX_WHOLE_NUMBER = 2 ** 31 - 1;

export function encodeCounterStore(store: SharedCounterStore): string {
  return JSON.stringify(store);
}

/** Throws TypeError or SyntaxError on anything but a store: a guest may write what it likes. */
export function decodeCounterStore(json: string): SharedCounterStore {
  const store = membersOf(JSON.parse(json));
  if (store['kind'] === 'cluster') return { kind: 'cluster' };
  if (store['kind'] !== 'redis') throw new TypeError("a counter store is 'cluster' or 'redis'");
  const syncRate = store['syncRate'] ?? -1;
  if (typeof syncRate !== 'number' || (syncRate !== -1 && !(syncRate >= MIN_SYNC_RATE_SECONDS))) {
    throw new TypeError(`syncRate must be -1 or at least ${MIN_SYNC_RATE_SECONDS}`);
  }
  return { kind: 'redis', redis: checkRedis(membersOf(store['redis'])), syncRate };
}

function checkRedis(given: Readonly<Record<string, unknown>>): RedisSettings {
  const redis: Record<string, unknown> = {};
  for (const name of TEXTS) redis[name] = textOrNull(given[name], `redis.${name}`);
  for (const name of WHOLE_NUMBERS) redis[name] = wholeNumberOrNull(given[name], `redis.${name}`);
  for (const name of SWITCHES) redis[name] = given[name] === true;
  redis['cluster_nodes'] = nodesOrNull(given['cluster_nodes'], 'ip');
  redis['sentinel_nodes'] = nodesOrNull(given['sentinel_nodes'], 'host');
  return redis as RedisSettings;
}

function nodesOrNull(
  value: unknown,
  member: 'ip' | 'host',
): readonly Readonly<Record<string, unknown>>[] | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_NODES) {
    throw new TypeError(`redis takes up to ${MAX_NODES} nodes`);
  }
  return value.map((node: unknown) => {
    const members = membersOf(node);
    return {
      [member]: textOrNull(members[member], member),
      port: wholeNumberOrNull(members['port'], 'port'),
    };
  });
}

function textOrNull(value: unknown, name: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string' || value.length > MAX_TEXT_LENGTH)
    throw new TypeError(`${name} must be a text`);
  return value;
}

function wholeNumberOrNull(value: unknown, name: string): number | null {
  if (value === null || value === undefined) return null;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_WHOLE_NUMBER) {
    throw new TypeError(`${name} must be a whole number`);
  }
  return value as number;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
