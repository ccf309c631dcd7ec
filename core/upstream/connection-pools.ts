/**
 * Idle upstream connections, kept per origin and address so that the next request finds one. The most recently
 * used one is taken first: the others may grow old and go. Source of the bounds: contract/proxy.md section 7.3.
 */
import {
  type ConnectionHome,
  type ConnectionOwner,
  type ConnectionSettings,
  UpstreamConnection,
} from './connection.ts';
import type { ForwardRequest, UpstreamAttempt, UpstreamOrigin } from './forward-request.ts';
import { SessionPool } from './session-pool.ts';

export interface PoolCounts {
  readonly openConnections: number;
  readonly idleConnections: number;
  /** Since the client was made. */
  readonly connectionsOpened: number;
  /** Requests sent on a connection that had served one before. */
  readonly connectionsReused: number;
}

export interface PoolSettings extends ConnectionSettings {
  /** Idle connections kept per origin and address; 0 keeps none. */
  readonly maxIdleConnections: number;
}

/** What carries one request at a time as far as its owner can tell: a connection, or a stream of a shared one. */
export interface PooledConnection {
  /** Requests its connection has carried, this one included. */
  readonly requestCount: number;
  readonly requestSent: boolean;
  readonly responseStarted: boolean;
  send(owner: ConnectionOwner, request: ForwardRequest): boolean;
  resume(): void;
  /** Ends it without telling the owner. */
  discard(): void;
}

/** Connections to one address of one origin. */
export interface Pool {
  readonly origin: UpstreamOrigin;
  readonly ip: string;
  readonly onlyAttempt: readonly UpstreamAttempt[];
  readonly openCount: number;
  readonly idleCount: number;
  takeIdle(): PooledConnection | undefined;
  /** The owner hears `onConnected` or `onFailed`, not before this returns. */
  open(owner: ConnectionOwner, connectTimeoutMs: number): PooledConnection;
  discardIdle(): void;
  failAll(detail: string): void;
}

/** The connections to one address of one origin. */
export class AddressPool implements Pool, ConnectionHome {
  readonly origin: UpstreamOrigin;
  readonly ip: string;
  /** The record of a first attempt that succeeded: the same for all requests that go well. */
  readonly onlyAttempt: readonly UpstreamAttempt[];
  tlsSession: Buffer | undefined;

  private readonly pools: ConnectionPools;
  private readonly all = new Set<UpstreamConnection>();
  private readonly idle: UpstreamConnection[] = [];

  constructor(pools: ConnectionPools, origin: UpstreamOrigin, ip: string) {
    this.pools = pools;
    this.origin = origin;
    this.ip = ip;
    this.onlyAttempt = Object.freeze([Object.freeze({ ip, port: origin.port, error: undefined })]);
  }

  get openCount(): number {
    return this.all.size;
  }

  get idleCount(): number {
    return this.idle.length;
  }

  takeIdle(): UpstreamConnection | undefined {
    for (;;) {
      const connection = this.idle.pop();
      if (connection === undefined) return undefined;
      if (connection.isUsable) {
        this.pools.connectionsReused++;
        return connection;
      }
      connection.discard();
    }
  }

  open(owner: ConnectionOwner, connectTimeoutMs: number): UpstreamConnection {
    const { settings } = this.pools;
    const connection = new UpstreamConnection(this.origin, this.ip, this, settings, owner, connectTimeoutMs);
    this.all.add(connection);
    this.pools.connectionsOpened++;
    return connection;
  }

  keep(connection: UpstreamConnection): boolean {
    if (this.pools.isDraining || this.idle.length >= this.pools.settings.maxIdleConnections) return false;
    this.idle.push(connection);
    return true;
  }

  onClosed(connection: UpstreamConnection): void {
    this.all.delete(connection);
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
    if (this.all.size === 0) this.pools.forget(this);
  }

  discardIdle(): void {
    for (const connection of [...this.idle]) connection.discard();
  }

  failAll(detail: string): void {
    for (const connection of [...this.all]) connection.fail('GW_UPSTREAM_CLOSED', detail);
  }
}

export class ConnectionPools {
  readonly settings: PoolSettings;
  isDraining = false;
  connectionsOpened = 0;
  connectionsReused = 0;

  /** Origin key → address → pool. Pools without connections are forgotten, and with them origins nobody uses. */
  private readonly origins = new Map<string, Map<string, Pool>>();

  constructor(settings: PoolSettings) {
    this.settings = settings;
  }

  poolOf(origin: UpstreamOrigin, ip: string): Pool {
    let addresses = this.origins.get(origin.key);
    if (addresses === undefined) {
      addresses = new Map();
      this.origins.set(origin.key, addresses);
    }
    let pool = addresses.get(ip);
    if (pool === undefined) {
      pool =
        origin.speaksHttp2 === true ? new SessionPool(this, origin, ip) : new AddressPool(this, origin, ip);
      addresses.set(ip, pool);
    }
    return pool;
  }

  forget(pool: Pool): void {
    const addresses = this.origins.get(pool.origin.key);
    if (addresses?.get(pool.ip) !== pool) return;
    addresses.delete(pool.ip);
    if (addresses.size === 0) this.origins.delete(pool.origin.key);
  }

  /** Keeps no connection from now on; those in use close behind their response. */
  drain(): void {
    this.isDraining = true;
    for (const pool of this.allPools()) pool.discardIdle();
  }

  /** Cuts everything; requests under way fail. */
  closeAll(detail: string): void {
    this.isDraining = true;
    for (const pool of this.allPools()) pool.failAll(detail);
  }

  counts(): PoolCounts {
    let openConnections = 0;
    let idleConnections = 0;
    for (const pool of this.allPools()) {
      openConnections += pool.openCount;
      idleConnections += pool.idleCount;
    }
    return {
      openConnections,
      idleConnections,
      connectionsOpened: this.connectionsOpened,
      connectionsReused: this.connectionsReused,
    };
  }

  private allPools(): Pool[] {
    return [...this.origins.values()].flatMap((addresses) => [...addresses.values()]);
  }
}
