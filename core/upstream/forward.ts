/**
 * The upstream client: takes a request to an origin, tries until there is an answer or no try is left, and hands
 * the answer on as it comes. With an idle connection at hand the request is written before `forward` returns.
 */

import type { HostAddress, LookUpHost } from '../dns/host-answer.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { ConnectionOwner } from './connection.ts';
import { ConnectionPools, type Pool, type PoolCounts, type PooledConnection } from './connection-pools.ts';
import type {
  ForwardEvents,
  ForwardExchange,
  ForwardRequest,
  PeerChoice,
  ResponseHead,
  UpstreamAttempt,
  UpstreamOrigin,
} from './forward-request.ts';
import { headAtPort } from './head-at-port.ts';
import { AddressResolver } from './resolve-address.ts';
import { decideRetry } from './retry.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface UpstreamClientOptions {
  /** Idle connections kept per origin and address. Default 512; 0 turns keep-alive off. */
  readonly maxIdleConnections?: number;
  /** Default 10000; 0 is no limit. */
  readonly maxRequestsPerConnection?: number;
  /** Default 60000; 0 is no limit. An upstream's shorter `Keep-Alive: timeout` is honoured. */
  readonly idleTimeoutMs?: number;
  /** PEM certificates trusted for verified https origins instead of the runtime's list. */
  readonly trustedCertificates?: readonly string[];
  /** How names become addresses. Default: none does, only addresses are known. */
  readonly lookUp?: LookUpHost;
  /** How long answers about names serve beyond their time. Default 0. */
  readonly staleNamesMs?: number;
  readonly maxNames?: number;
}

export interface UpstreamClientStats extends PoolCounts {
  readonly requestsInFlight: number;
}

export interface UpstreamClient {
  /** No event is called before it returns. */
  forward(request: ForwardRequest, events: ForwardEvents): ForwardExchange;
  /** Closes idle connections now and the others behind their response; resolves when nothing is under way. */
  drain(): Promise<void>;
  /** Cuts everything: exchanges under way hear GW_UPSTREAM_CLOSED. */
  close(): void;
  stats(): UpstreamClientStats;
}

export function createUpstreamClient(options: UpstreamClientOptions = {}): UpstreamClient {
  return new PooledClient(options);
}

const orNoLimit = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

const findNothing: LookUpHost = (_host, done) =>
  process.nextTick(done, { kind: 'none', reason: 'names are not looked up', ttlMs: 0 });

const NO_ATTEMPTS: readonly UpstreamAttempt[] = Object.freeze([]);

class PooledClient implements UpstreamClient {
  readonly pools: ConnectionPools;
  readonly resolver: AddressResolver;
  isClosed = false;
  private readonly wheel = new TimerWheel();
  private requestsInFlight = 0;
  private drainWaiters: (() => void)[] = [];

  constructor(options: UpstreamClientOptions) {
    this.resolver = new AddressResolver({
      lookUp: options.lookUp ?? findNothing,
      staleMs: options.staleNamesMs ?? 0,
      ...(options.maxNames !== undefined && { maxNames: options.maxNames }),
    });
    this.pools = new ConnectionPools({
      wheel: this.wheel,
      maxIdleConnections: options.maxIdleConnections ?? 512,
      maxRequestsPerConnection: orNoLimit(options.maxRequestsPerConnection ?? 10_000),
      idleTimeoutMs: orNoLimit(options.idleTimeoutMs ?? 60_000),
      trustedCertificates: options.trustedCertificates,
    });
  }

  forward(request: ForwardRequest, events: ForwardEvents): ForwardExchange {
    const exchange = new PooledExchange(this, request, events);
    // Throws when the request cannot be written down; it ends later than in this call otherwise.
    exchange.start();
    this.requestsInFlight++;
    return exchange;
  }

  onExchangeEnded(): void {
    this.requestsInFlight--;
    if (this.requestsInFlight === 0 && this.drainWaiters.length > 0) {
      const waiters = this.drainWaiters;
      this.drainWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }

  drain(): Promise<void> {
    this.pools.drain();
    if (this.requestsInFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.drainWaiters.push(resolve));
  }

  close(): void {
    this.isClosed = true;
    this.pools.closeAll('the gateway is shutting down');
    this.wheel.stop();
  }

  stats(): UpstreamClientStats {
    return { ...this.pools.counts(), requestsInFlight: this.requestsInFlight };
  }
}

class PooledExchange implements ForwardExchange, ConnectionOwner {
  attempts: readonly UpstreamAttempt[] = NO_ATTEMPTS;

  private readonly client: PooledClient;
  private readonly request: ForwardRequest;
  private readonly events: ForwardEvents;
  /** Made with the first failure: most requests go well and share the record of their pool. */
  private failedAttempts: UpstreamAttempt[] | undefined;
  private pool: Pool | undefined;
  private connection: PooledConnection | undefined;
  /** What is sent where an SRV record has decided the port. */
  private requestAtPort: ForwardRequest | undefined;
  private retriesLeft: number;
  /** After a reused connection turned out stale its neighbours are suspect too. */
  private wantsNewConnection = false;
  private isStarting = true;
  private isEnded = false;
  private hasHead = false;

  constructor(client: PooledClient, request: ForwardRequest, events: ForwardEvents) {
    this.client = client;
    this.request = request;
    this.events = events;
    this.retriesLeft = request.retries;
  }

  start(): void {
    this.attempt();
    this.isStarting = false;
  }

  abort(): void {
    if (this.isEnded) return;
    this.end();
    this.connection?.discard();
    this.connection = undefined;
  }

  resume(): void {
    this.connection?.resume();
  }

  onConnected(): void {
    this.sendOn(this.connection!);
  }

  onHead(head: ResponseHead): void {
    this.hasHead = true;
    const { onlyAttempt } = this.pool!;
    if (this.failedAttempts === undefined) this.attempts = onlyAttempt;
    else this.failedAttempts.push(onlyAttempt[0]!);
    this.request.peers?.onAttemptAnswered(head.status);
    this.events.onHead(head);
  }

  onChunk(chunk: Uint8Array): boolean {
    return this.events.onChunk(chunk);
  }

  onFlush(): void {
    this.events.onFlush();
  }

  onTrailers(trailers: readonly string[]): void {
    this.events.onTrailers?.(trailers);
  }

  onComplete(): void {
    this.connection = undefined;
    this.end();
    this.events.onEnd();
  }

  onFailed(code: ErrorCode, detail: string, cause?: unknown): void {
    const pool = this.pool!;
    const connection = this.connection!;
    this.connection = undefined;
    const error = new GatewayError(code, `${pool.ip}:${pool.origin.port}: ${detail}`, cause);
    this.request.observer?.onTryFailed(error);
    const decision = this.hasHead || this.client.isClosed ? 'none' : this.decideRetry(connection, code);
    if (decision === 'free') {
      this.wantsNewConnection = true;
      // Nothing is known against the address: it is only the connection that was too old.
      if (this.request.peers === undefined) this.attempt();
      else this.attemptAt(pool.ip, pool.origin);
      return;
    }
    if (!this.hasHead) this.request.peers?.onAttemptFailed(code);
    // An answer cut short is no success after all.
    if (this.hasHead) this.failedAttempts?.pop();
    this.failedAttempts ??= [];
    this.failedAttempts.push({ ip: pool.ip, port: pool.origin.port, error });
    this.attempts = this.failedAttempts;
    if (decision === 'none' || this.retriesLeft === 0) {
      this.endWithError(error);
    } else {
      this.retriesLeft--;
      this.attempt();
    }
  }

  private decideRetry(connection: PooledConnection, code: ErrorCode): 'free' | 'counted' | 'none' {
    return decideRetry({
      code,
      method: this.request.method,
      requestSent: connection.requestSent,
      bodyCanReplay: this.request.body?.canReplay ?? true,
      reusedConnection: connection.requestCount > 1,
      responseStarted: connection.responseStarted,
    });
  }

  private attempt(): void {
    const { peers } = this.request;
    if (peers !== undefined) {
      this.attemptAtPeer(peers);
      return;
    }
    const address = this.client.resolver.nextKnown(this.request.origin.host);
    if (address !== undefined) {
      this.attemptAtAddress(address);
      return;
    }
    this.request.observer?.onLookup(this.request.origin.host);
    this.client.resolver.resolve(this.request.origin.host, this.onResolved);
  }

  /** Only made into a bound function when a name has to be looked up. */
  private get onResolved() {
    return (address: HostAddress | undefined, error: GatewayError | undefined): void => {
      if (this.isEnded) return;
      this.request.observer?.onLookupEnd(address?.ip);
      if (address === undefined) this.endWithError(error ?? new GatewayError('GW_NAME_RESOLUTION_FAILED'));
      else this.attemptAtAddress(address);
    };
  }

  private attemptAtPeer(peers: PeerChoice): void {
    const ip = peers.nextPeer();
    if (ip !== undefined) this.attemptAt(ip, this.request.origin);
    else if (!peers.awaitPeer(() => this.isEnded || this.attemptAtPeer(peers))) {
      this.endWithError(new GatewayError('GW_NO_PEER', 'no address may be used'));
    }
  }

  private attemptAtAddress({ ip, port }: HostAddress): void {
    const { origin, head } = this.request;
    if (port === 0 || port === origin.port) {
      this.requestAtPort = undefined;
      this.attemptAt(ip, origin);
      return;
    }
    this.requestAtPort = { ...this.request, head: headAtPort(head, origin, port) };
    this.attemptAt(ip, originAtPort(origin, port));
  }

  private attemptAt(ip: string, origin: UpstreamOrigin): void {
    if (this.client.isClosed) {
      this.endWithError(new GatewayError('GW_UPSTREAM_CLOSED', 'the gateway is shutting down'));
      return;
    }
    const pool = this.client.pools.poolOf(origin, ip);
    this.pool = pool;
    this.request.observer?.onTry(ip, origin.port);
    const idle = this.wantsNewConnection ? undefined : pool.takeIdle();
    if (idle !== undefined) {
      this.connection = idle;
      this.sendOn(idle);
    } else {
      this.connection = pool.open(this, this.request.connectTimeoutMs);
    }
  }

  private sendOn(connection: PooledConnection): void {
    if (connection.send(this, this.requestAtPort ?? this.request)) return;
    this.connection = undefined;
    this.endWithError(new GatewayError('GW_INTERNAL', 'the beginning of the request body is gone'));
  }

  private endWithError(error: GatewayError): void {
    if (this.isEnded) return;
    if (this.isStarting) {
      // The caller does not have the exchange yet.
      process.nextTick(() => this.endWithError(error));
      return;
    }
    this.end();
    this.events.onError(error);
  }

  private end(): void {
    this.isEnded = true;
    this.request.peers?.onDone();
    this.client.onExchangeEnded();
  }
}

/** Where an SRV record leads: the same server on another port. */
function originAtPort(origin: UpstreamOrigin, port: number): UpstreamOrigin {
  return { ...origin, port, key: `${origin.key} at ${port}` };
}
