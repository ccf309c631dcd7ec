/**
 * One connection to an upstream: a socket, a parser and a timer that serve one request after another. It knows
 * nothing of retries; its owner hears how the request went, its home hears when it is free or gone.
 */
import type { OnReadOpts, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../errors.ts';
import type { RequestBody } from '../http/request-body.ts';
import type { ForwardRequest, ResponseHead, UpstreamOrigin } from './forward-request.ts';
import { openSocket, readyEvent, type SessionHolder } from './open-socket.ts';
import { isChainTooLong } from './origin-tls.ts';
import { RequestBodySender, type SendingProgress } from './request-body-sender.ts';
import { type ResponseListener, ResponseParser } from './response-parser.ts';
import type { Expirable, TimerWheel, WheelTimer } from './timer-wheel.ts';

/** Whoever has a request on a connection. After `onComplete` or `onFailed` the connection is no longer theirs. */
export interface ConnectionOwner {
  /** Only for connections opened for this owner: now `send` may be called. */
  onConnected(): void;
  onHead(head: ResponseHead): void;
  /** False pauses reading until `resume`. */
  onChunk(chunk: Uint8Array): boolean;
  onFlush(): void;
  /** Of HTTP/2 only. */
  onTrailers(trailers: readonly string[]): void;
  onComplete(): void;
  onFailed(code: ErrorCode, detail: string, cause?: unknown): void;
}

/** Where a connection lives between requests. */
export interface ConnectionHome {
  /** The connection could carry another request. False: there is no room for it, it shall close. */
  keep(connection: UpstreamConnection): boolean;
  /** The connection is gone. Called once. */
  onClosed(connection: UpstreamConnection): void;
}

/** What all connections of one client share. */
export interface ConnectionSettings {
  readonly wheel: TimerWheel;
  readonly idleTimeoutMs: number;
  readonly maxRequestsPerConnection: number;
  /** PEM certificates trusted instead of the runtime's own list; undefined for that list. */
  readonly trustedCertificates: readonly string[] | undefined;
}

const CONNECTING = 0;
const ACTIVE = 1;
const IDLE = 2;
const CLOSED = 3;

/** Every read of every connection lands here: what it holds is consumed before the next read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

/** An upstream that says how long it waits is left a second earlier, so that no request meets its FIN. */
const KEEP_ALIVE_MARGIN_MS = 1000;

export class UpstreamConnection implements ResponseListener, Expirable, SendingProgress {
  requestCount = 0;
  /** A part of the current request was handed to the socket. */
  requestSent = false;
  /** A byte was received for the current request. */
  responseStarted = false;

  private readonly home: ConnectionHome;
  private readonly settings: ConnectionSettings;
  private readonly socket: Socket;
  private readonly parser: ResponseParser;
  private readonly timer: WheelTimer;
  private phase = CONNECTING;
  private owner: ConnectionOwner | undefined;
  private sender: RequestBodySender | undefined;
  /** What the client will send over a WebSocket. */
  private upgrade: RequestBody | undefined;
  /** The upstream has agreed to it: from now on silence of both sides is what ends it. */
  private isTunnel = false;
  private readTimeoutMs = 0;
  private writeTimeoutMs = 0;
  private isWaitingForWrite = false;
  private isPaused = false;
  private isReadStopped = false;
  private hasDelivered = false;

  /** Opens a connection for `owner`, who hears `onConnected` or `onFailed`. */
  constructor(
    origin: UpstreamOrigin,
    ip: string,
    home: ConnectionHome & SessionHolder,
    settings: ConnectionSettings,
    owner: ConnectionOwner,
    connectTimeoutMs: number,
  ) {
    this.home = home;
    this.settings = settings;
    this.owner = owner;
    this.parser = new ResponseParser(this);
    this.timer = settings.wheel.createTimer(this);
    this.timer.arm(connectTimeoutMs);
    const onread: OnReadOpts = { buffer: READ_BUFFER, callback: (byteCount) => this.onRead(byteCount) };
    this.socket = openSocket(origin, ip, {
      onread,
      protocol: 'http/1.1',
      sessions: home,
      trustedCertificates: settings.trustedCertificates,
    });
    this.socket.once(readyEvent(origin), () => this.onConnected(origin));
    this.socket.on('drain', () => this.onDrain());
    this.socket.on('end', () => this.onEnded());
    this.socket.on('error', (error: NodeJS.ErrnoException) =>
      this.onLost(error.code ?? error.message, error),
    );
    this.socket.on('close', () => this.onLost('closed', undefined));
  }

  /** An idle connection still looks alive. */
  get isUsable(): boolean {
    return this.phase === IDLE && this.socket.writable;
  }

  /**
   * Writes a request in this call. False, with nothing written, when the beginning of its body is gone; the
   * connection is closed then.
   */
  send(owner: ConnectionOwner, request: ForwardRequest): boolean {
    this.owner = owner;
    this.phase = ACTIVE;
    this.requestCount++;
    this.requestSent = true;
    this.responseStarted = false;
    this.isPaused = false;
    this.hasDelivered = false;
    this.readTimeoutMs = request.readTimeoutMs;
    this.writeTimeoutMs = request.writeTimeoutMs;
    this.upgrade = request.upgrade;
    this.parser.begin(request.method === 'HEAD', request.upgrade !== undefined);
    if (request.body !== undefined) return this.sendWithBody(request.head, request.body, request.chunkedBody);
    this.socket.write(request.head, 'latin1');
    this.awaitProgress();
    return true;
  }

  /** The owner can take chunks again. */
  resume(): void {
    if (!this.isPaused || this.phase !== ACTIVE) return;
    this.isPaused = false;
    if (!this.isReadStopped) return;
    this.isReadStopped = false;
    this.socket.resume();
    this.awaitProgress();
  }

  /** Closes without telling the owner. */
  discard(): void {
    if (this.phase === CLOSED) return;
    this.phase = CLOSED;
    this.owner = undefined;
    this.releaseSender();
    this.parser.stop();
    this.timer.dispose();
    this.socket.destroy();
    this.home.onClosed(this);
  }

  /** Closes and tells the owner, if there is one. */
  fail(code: ErrorCode, detail: string, cause?: unknown): void {
    const owner = this.owner;
    this.discard();
    owner?.onFailed(code, detail, cause);
  }

  onResponseHead(head: ResponseHead): void {
    this.hasDelivered = true;
    this.owner!.onHead(head);
    if (head.status === 101 && this.upgrade !== undefined && this.phase === ACTIVE)
      this.openTunnel(this.upgrade);
  }

  onResponseChunk(chunk: Uint8Array): void {
    this.hasDelivered = true;
    if (!this.owner!.onChunk(chunk)) this.isPaused = true;
  }

  onBodyProgress(): void {
    if (this.phase === ACTIVE) this.awaitProgress();
  }

  onTimerExpired(): void {
    if (this.phase === CONNECTING) this.fail('GW_UPSTREAM_CONNECT_TIMEOUT', 'connect timeout');
    else if (this.phase === IDLE) this.discard();
    else if (this.isTunnel) this.complete();
    else if (!this.isWaitingForWrite) this.fail('GW_UPSTREAM_READ_TIMEOUT', 'read timeout');
    else if (this.socket.writableLength > 0) this.fail('GW_UPSTREAM_WRITE_TIMEOUT', 'write timeout');
    else this.awaitProgress();
  }

  private sendWithBody(head: string, body: RequestBody, isChunked: boolean): boolean {
    const socket = this.socket;
    const sender = new RequestBodySender(body, socket, isChunked, this);
    this.sender = sender;
    // Head and what is held of the body leave in one system call.
    socket.cork();
    socket.write(head, 'latin1');
    const started = sender.start();
    if (!started) {
      this.discard();
      return false;
    }
    socket.uncork();
    this.onBodyProgress();
    return true;
  }

  private openTunnel(upgrade: RequestBody): void {
    this.isTunnel = true;
    this.sender = new RequestBodySender(upgrade, this.socket, false, this, true);
    this.sender.start();
  }

  private onConnected({ tls }: UpstreamOrigin): void {
    if (this.phase !== CONNECTING) return;
    if (tls?.maxDepth !== undefined && isChainTooLong(this.socket as TLSSocket, tls.maxDepth)) {
      this.fail('GW_UPSTREAM_CONNECT_FAILED', 'certificate chain too long');
    } else this.owner!.onConnected();
  }

  /** Returns false to stop reading. */
  private onRead(byteCount: number): boolean {
    if (this.phase !== ACTIVE) {
      // Nobody asked: whatever an idle upstream says would be taken for the answer to the next request.
      if (this.phase === IDLE) this.discard();
      return true;
    }
    this.responseStarted = true;
    const result = this.parser.feed(READ_BUFFER, 0, byteCount);
    if (result === 'complete') this.complete();
    else if (result === 'malformed') this.fail('GW_UPSTREAM_MALFORMED', this.parser.malformedReason);
    else if (result === 'more') return this.endRead();
    return true;
  }

  private endRead(): boolean {
    if (this.hasDelivered) {
      this.hasDelivered = false;
      this.owner!.onFlush();
      if (this.phase !== ACTIVE) return true;
    }
    this.awaitProgress();
    this.isReadStopped = this.isPaused;
    return !this.isPaused;
  }

  /** The response is complete: frees or closes the connection before its owner hears of it, who may want it at once. */
  private complete(): void {
    const owner = this.owner!;
    const sender = this.sender;
    const isReusable =
      this.parser.canReuse &&
      (sender === undefined || sender.keptItsLength) &&
      this.socket.writableLength === 0 &&
      this.requestCount < this.settings.maxRequestsPerConnection;
    this.owner = undefined;
    this.releaseSender();
    if (!isReusable || !this.becomeIdle()) this.discard();
    owner.onComplete();
  }

  private becomeIdle(): boolean {
    let idleMs = this.settings.idleTimeoutMs;
    const promisedSeconds = this.parser.keepAliveSeconds;
    if (promisedSeconds >= 0) idleMs = Math.min(idleMs, promisedSeconds * 1000 - KEEP_ALIVE_MARGIN_MS);
    if (idleMs <= 0) return false;
    this.phase = IDLE;
    this.requestSent = false;
    this.timer.arm(idleMs);
    return this.home.keep(this);
  }

  /** Arms the timer for whoever's turn it is: contract/proxy.md section 7.1. */
  private awaitProgress(): void {
    this.isWaitingForWrite = this.socket.writableLength > 0;
    if (this.isTunnel) this.timer.arm(this.isWaitingForWrite ? this.writeTimeoutMs : this.readTimeoutMs);
    else if (this.isWaitingForWrite) this.timer.arm(this.writeTimeoutMs);
    // The client's turn: to send more of its body, or to take more of the answer.
    else if (this.isPaused || (this.sender !== undefined && !this.sender.isFinished)) this.timer.disarm();
    else this.timer.arm(this.readTimeoutMs);
  }

  private onDrain(): void {
    if (this.phase !== ACTIVE) return;
    this.sender?.onDrain();
    this.onBodyProgress();
  }

  private onEnded(): void {
    if (this.phase === IDLE) this.discard();
    else if (this.phase !== ACTIVE) return;
    else if (this.parser.finish()) this.complete();
    else this.fail('GW_UPSTREAM_CLOSED', 'closed before the response was complete');
  }

  private onLost(detail: string, cause: unknown): void {
    if (this.phase === CONNECTING) this.fail('GW_UPSTREAM_CONNECT_FAILED', detail, cause);
    else if (this.phase === ACTIVE) this.fail('GW_UPSTREAM_CLOSED', detail, cause);
    else this.discard();
  }

  private releaseSender(): void {
    this.sender?.stop();
    this.sender = undefined;
  }
}
