/** A request and its answer as one stream of an HTTP/2 connection to an upstream. */
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { ErrorCode } from '../errors.ts';
import type { BodyReader, RequestBody } from '../http/request-body.ts';
import type { ConnectionOwner } from './connection.ts';
import type { PooledConnection } from './connection-pools.ts';
import type { ForwardRequest } from './forward-request.ts';
import { toHttp2Headers } from './http2-headers.ts';
import type { UpstreamSession } from './session-pool.ts';
import type { Expirable, TimerWheel, WheelTimer } from './timer-wheel.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants;

export class StreamRequest implements PooledConnection, BodyReader, Expirable {
  requestSent = false;
  responseStarted = false;

  private session: UpstreamSession | undefined;
  private timer: WheelTimer | undefined;
  private readonly onDiscarded: (() => void) | undefined;
  private owner: ConnectionOwner | undefined;
  private stream: ClientHttp2Stream | undefined;
  private body: RequestBody | undefined;
  private readTimeoutMs = 0;
  private writeTimeoutMs = 0;
  private isBodySent = true;
  private isPaused = false;
  private hasEnded = false;

  /** Without a session it waits to be given one. */
  constructor(session: UpstreamSession | undefined, wheel: TimerWheel | undefined, onDiscarded?: () => void) {
    this.onDiscarded = onDiscarded;
    if (session !== undefined && wheel !== undefined) this.attach(session, wheel);
  }

  get requestCount(): number {
    return this.session?.requestCount ?? 0;
  }

  attach(session: UpstreamSession, wheel: TimerWheel): void {
    this.session = session;
    this.timer = wheel.createTimer(this);
  }

  send(owner: ConnectionOwner, request: ForwardRequest): boolean {
    const session = this.session as UpstreamSession;
    this.owner = owner;
    this.readTimeoutMs = request.readTimeoutMs;
    this.writeTimeoutMs = request.writeTimeoutMs;
    session.requestCount++;
    let stream: ClientHttp2Stream;
    try {
      const headers = toHttp2Headers(request.head, request.origin.protocol);
      stream = session.http2.request(headers, { endStream: request.body === undefined });
    } catch (error) {
      // The connection has gone since it was looked at.
      process.nextTick(() => this.fail('GW_UPSTREAM_CLOSED', String(error), error));
      return true;
    }
    this.requestSent = true;
    this.stream = stream;
    session.openStreams++;
    stream.once('close', () => this.handleClose(session));
    stream.on('error', () => {});
    stream.on('response', (headers, flags, raw) => this.handleHead(Number(headers[':status']), flags, raw));
    stream.on('data', (chunk: Buffer) => this.handleChunk(chunk));
    stream.on('trailers', (_headers, _flags, raw) => this.owner?.onTrailers(raw));
    stream.on('end', () => this.complete());
    stream.on('drain', () => this.body?.resume());
    this.awaitProgress();
    return request.body === undefined || this.sendBody(request.body);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.stream?.resume();
    this.awaitProgress();
  }

  discard(): void {
    this.leave();
    this.onDiscarded?.();
    this.stream?.close(NGHTTP2_CANCEL);
  }

  onChunk(chunk: Uint8Array): boolean {
    const { stream } = this;
    if (stream === undefined || stream.closed || stream.destroyed) return false;
    const takesMore = chunk.length === 0 || stream.write(chunk);
    this.awaitProgress();
    return takesMore;
  }

  onEnd(): void {
    this.isBodySent = true;
    this.stream?.end();
    this.awaitProgress();
  }

  onTimerExpired(): void {
    if (this.isWriting) this.fail('GW_UPSTREAM_WRITE_TIMEOUT', 'write timeout');
    else this.fail('GW_UPSTREAM_READ_TIMEOUT', 'read timeout');
    this.stream?.close(NGHTTP2_CANCEL);
  }

  private get isWriting(): boolean {
    return this.stream?.writableNeedDrain === true;
  }

  private sendBody(body: RequestBody): boolean {
    this.body = body;
    this.isBodySent = false;
    if (body.startReading(this)) return true;
    this.discard();
    return false;
  }

  private handleHead(status: number, flags: number, raw: readonly string[]): void {
    this.responseStarted = true;
    const headers: string[] = [];
    for (let at = 0; at < raw.length; at += 2) {
      if (!(raw[at] as string).startsWith(':')) headers.push(raw[at] as string, raw[at + 1] as string);
    }
    this.awaitProgress();
    const hasBody = (flags & NGHTTP2_FLAG_END_STREAM) === 0;
    this.owner?.onHead({ status, headers, bodyLength: undefined, hasBody, httpVersion: '2' });
    // A call's client waits for the head although there is no message yet.
    if (hasBody) setImmediate(() => this.owner?.onFlush());
  }

  private handleChunk(chunk: Buffer): void {
    const owner = this.owner;
    if (owner === undefined) return;
    if (!owner.onChunk(chunk)) {
      this.isPaused = true;
      this.stream?.pause();
    }
    this.awaitProgress();
  }

  /** The upstream has said everything. What it has not read of the request it does not want. */
  private complete(): void {
    this.hasEnded = true;
    if (!this.responseStarted || this.stream?.rstCode !== NGHTTP2_NO_ERROR) return;
    const owner = this.leave();
    if (this.stream?.writableEnded === false) this.stream.close(NGHTTP2_NO_ERROR);
    owner?.onComplete();
  }

  private handleClose(session: UpstreamSession): void {
    session.openStreams--;
    const code = this.stream?.rstCode ?? NGHTTP2_NO_ERROR;
    if (code === NGHTTP2_REFUSED_STREAM) this.requestSent = false;
    const detail = this.hasEnded || code !== NGHTTP2_NO_ERROR ? `stream reset with code ${code}` : 'closed';
    this.fail('GW_UPSTREAM_CLOSED', detail);
  }

  private fail(code: ErrorCode, detail: string, cause?: unknown): void {
    this.leave()?.onFailed(code, detail, cause);
  }

  /** From here on the request is nobody's. */
  private leave(): ConnectionOwner | undefined {
    const owner = this.owner;
    this.owner = undefined;
    this.timer?.dispose();
    this.timer = undefined;
    this.body?.stopReading();
    this.body = undefined;
    return owner;
  }

  /** Arms the timer for whoever's turn it is: contract/proxy.md section 7.1. */
  private awaitProgress(): void {
    if (this.isWriting) this.timer?.arm(this.writeTimeoutMs);
    // The client's turn: to send more of its body, or to take more of the answer.
    else if (this.isPaused || !this.isBodySent) this.timer?.disarm();
    else this.timer?.arm(this.readTimeoutMs);
  }
}
