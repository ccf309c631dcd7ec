/**
 * HTTP/2 connections to one address of one origin: each carries many requests at a time, so that mostly there is one. It
 * is replaced when the upstream wants no more requests on it.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../errors.ts';
import type { ConnectionOwner } from './connection.ts';
import type { ConnectionPools, Pool, PooledConnection } from './connection-pools.ts';
import type { UpstreamAttempt, UpstreamOrigin } from './forward-request.ts';
import { openSocket, readyEvent } from './open-socket.ts';
import { isChainTooLong } from './origin-tls.ts';
import { StreamRequest } from './stream-request.ts';
import type { TimerWheel } from './timer-wheel.ts';

const { NGHTTP2_REFUSED_STREAM } = constants;
/** Until the upstream has said how many it takes. */
const ASSUMED_STREAMS = 100;

export interface UpstreamSession {
  readonly http2: ClientHttp2Session;
  requestCount: number;
  openStreams: number;
}

export class SessionPool implements Pool {
  readonly origin: UpstreamOrigin;
  readonly ip: string;
  readonly onlyAttempt: readonly UpstreamAttempt[];
  tlsSession: Buffer | undefined;

  private readonly pools: ConnectionPools;
  private readonly sessions = new Set<UpstreamSession>();
  private readonly connecting = new Set<Connecting>();

  constructor(pools: ConnectionPools, origin: UpstreamOrigin, ip: string) {
    this.pools = pools;
    this.origin = origin;
    this.ip = ip;
    this.onlyAttempt = Object.freeze([Object.freeze({ ip, port: origin.port, error: undefined })]);
  }

  get openCount(): number {
    return this.sessions.size + this.connecting.size;
  }

  get idleCount(): number {
    let idle = 0;
    for (const { openStreams } of this.sessions) if (openStreams === 0) idle++;
    return idle;
  }

  takeIdle(): PooledConnection | undefined {
    for (const session of this.sessions) {
      if (!hasRoom(session)) continue;
      if (session.requestCount > 0) this.pools.connectionsReused++;
      return new StreamRequest(session, this.pools.settings.wheel);
    }
    return undefined;
  }

  /** Requests that come while a connection is being made wait for it. */
  open(owner: ConnectionOwner, connectTimeoutMs: number): PooledConnection {
    const [pending] = this.connecting;
    if (pending !== undefined) return pending.join(owner);
    this.pools.connectionsOpened++;
    const connecting = new Connecting(this, owner, connectTimeoutMs);
    this.connecting.add(connecting);
    return connecting.start();
  }

  discardIdle(): void {
    for (const { http2 } of this.sessions) http2.close();
  }

  failAll(detail: string): void {
    for (const connecting of [...this.connecting]) connecting.fail('GW_UPSTREAM_CONNECT_FAILED', detail);
    for (const { http2 } of [...this.sessions]) http2.destroy(new Error(detail));
  }

  get wheel(): TimerWheel {
    return this.pools.settings.wheel;
  }

  openSocket(): Socket {
    const { trustedCertificates } = this.pools.settings;
    return openSocket(this.origin, this.ip, { protocol: 'h2', sessions: this, trustedCertificates });
  }

  /** A connection has been made, or could not be. */
  settle(connecting: Connecting, socket: Socket | undefined): UpstreamSession | undefined {
    this.connecting.delete(connecting);
    if (socket === undefined) {
      this.forgetIfEmpty();
      return undefined;
    }
    const http2 = connect('http://upstream', {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    const session = { http2, requestCount: 0, openStreams: 0 };
    const leave = () => {
      if (this.sessions.delete(session)) this.forgetIfEmpty();
    };
    // Its streams hear of what went wrong.
    http2.on('error', leave);
    http2.on('goaway', leave);
    http2.on('close', leave);
    // Until it has heard that it may not, it may push.
    http2.on('stream', (pushed) => {
      pushed.on('error', () => {});
      pushed.close(NGHTTP2_REFUSED_STREAM);
    });
    const { idleTimeoutMs } = this.pools.settings;
    if (Number.isFinite(idleTimeoutMs)) {
      http2.setTimeout(idleTimeoutMs);
      http2.on('timeout', () => session.openStreams === 0 && http2.close());
    }
    this.sessions.add(session);
    return session;
  }

  private forgetIfEmpty(): void {
    if (this.openCount === 0) this.pools.forget(this);
  }
}

function hasRoom({ http2, openStreams }: UpstreamSession): boolean {
  if (http2.closed || http2.destroyed) return false;
  const { maxConcurrentStreams = ASSUMED_STREAMS } = http2.remoteSettings ?? {};
  return openStreams < maxConcurrentStreams;
}

/** A connection that is being made, and who waits for it. */
class Connecting {
  private readonly pool: SessionPool;
  private readonly waiting = new Map<StreamRequest, ConnectionOwner>();
  private readonly first: ConnectionOwner;
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | undefined;
  private socket: Socket | undefined;
  private isSettled = false;

  constructor(pool: SessionPool, first: ConnectionOwner, timeoutMs: number) {
    this.pool = pool;
    this.first = first;
    this.timeoutMs = timeoutMs;
  }

  start(): PooledConnection {
    const request = this.join(this.first);
    this.timer = setTimeout(
      () => this.fail('GW_UPSTREAM_CONNECT_TIMEOUT', 'connect timeout'),
      this.timeoutMs,
    );
    try {
      this.socket = this.pool.openSocket();
    } catch (error) {
      process.nextTick(() => this.fail('GW_UPSTREAM_CONNECT_FAILED', String(error), error));
      return request;
    }
    const lose = (error: NodeJS.ErrnoException) =>
      this.fail('GW_UPSTREAM_CONNECT_FAILED', error.code ?? error.message, error);
    this.socket.on('error', lose);
    this.socket.once('close', () => this.fail('GW_UPSTREAM_CONNECT_FAILED', 'closed'));
    this.socket.once(readyEvent(this.pool.origin), () => this.succeed());
    return request;
  }

  join(owner: ConnectionOwner): PooledConnection {
    const request: StreamRequest = new StreamRequest(undefined, undefined, () =>
      this.waiting.delete(request),
    );
    this.waiting.set(request, owner);
    return request;
  }

  fail(code: ErrorCode, detail: string, cause?: unknown): void {
    if (this.isSettled) return;
    this.settle();
    this.pool.settle(this, undefined);
    this.socket?.destroy();
    for (const owner of [...this.waiting.values()]) owner.onFailed(code, detail, cause);
  }

  private succeed(): void {
    const socket = this.socket as Socket;
    const problem = this.findProblem(socket);
    if (problem !== undefined) {
      this.fail('GW_UPSTREAM_CONNECT_FAILED', problem);
      return;
    }
    if (this.isSettled) return;
    this.settle();
    const session = this.pool.settle(this, socket) as UpstreamSession;
    for (const [request, owner] of [...this.waiting]) {
      request.attach(session, this.pool.wheel);
      owner.onConnected();
    }
  }

  private findProblem(socket: Socket): string | undefined {
    const { protocol, tls } = this.pool.origin;
    if (protocol === 'http') return undefined;
    const { alpnProtocol } = socket as TLSSocket;
    if (alpnProtocol !== 'h2') return 'the upstream does not speak HTTP/2';
    const isTooLong = tls?.maxDepth !== undefined && isChainTooLong(socket as TLSSocket, tls.maxDepth);
    return isTooLong ? 'certificate chain too long' : undefined;
  }

  private settle(): void {
    this.isSettled = true;
    clearTimeout(this.timer);
  }
}
