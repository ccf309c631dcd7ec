/**
 * A request to become a WebSocket on Node's own server. Once it is answered with 101, bytes pass both ways as they are;
 * frames are only counted, to know when a word of our own may come between two of them.
 */
import type { Socket } from 'node:net';
import { joinHead } from './answer-head.ts';
import type { ExchangeSettings, RequestHead } from './exchange-settings.ts';
import { HeldRequestBody } from './held-request-body.ts';
import { lingerBehind } from './http1-exchange.ts';
import { type ClientConnection, NodeExchange } from './node-exchange.ts';
import { FrameReader, writeCloseFrame } from './websocket-frames.ts';

/** Of what a client sends before it is answered, and no more of what comes later than the upstream has not taken. */
const MAX_HELD_BYTES = 4096;
const GOING_AWAY = 1001;
const UPGRADE_LINES = ['Connection', 'upgrade', 'Upgrade', 'websocket'];
const NOTHING = new Uint8Array(0);
const NOBODY = { onPiece: () => {}, onControl: () => {} };

export class UpgradeExchange extends NodeExchange {
  readonly httpVersion = '1.1';
  readonly upgrade: HeldRequestBody;

  private readonly socket: Socket;
  private readonly bytesBefore: number;
  /** Undefined until the protocol is switched, and again when the server's bytes are no frames. */
  private frames: FrameReader | undefined;
  private isUpgraded = false;
  private isLeaving = false;
  private hasSaidGoodbye = false;

  /** `early`: bytes that came with the head. */
  constructor(
    socket: Socket,
    early: Buffer,
    settings: ExchangeSettings,
    head: RequestHead,
    connection: ClientConnection,
  ) {
    super(settings, { ...head, bodyLength: 0 }, connection.sni);
    this.socket = socket;
    this.bytesBefore = socket.bytesWritten;
    this.upgrade = new HeldRequestBody(this, undefined, MAX_HELD_BYTES);
    socket.setTimeout(0);
    socket.on('drain', () => this.handleDrain());
    socket.on('data', (chunk: Buffer) => this.upgrade.accept(chunk, false));
    socket.on('end', () => this.handleEnd());
    socket.on('error', () => {});
    socket.on('close', () => this.handleAbort());
    if (early.length > 0) this.upgrade.accept(early, false);
    if (!this.isReadingPaused) socket.resume();
  }

  get bytesSent(): number {
    return this.socket.bytesWritten - this.bytesBefore;
  }

  override get bytesReceived(): number {
    return super.bytesReceived + this.upgrade.bytesReceived;
  }

  /** The gateway stops: the client is asked to leave between two frames, and its own close ends the rest. */
  goAway(): void {
    if (!this.isUpgraded || this.isLeaving) return;
    this.isLeaving = true;
    this.sayGoodbye();
  }

  override cork(run: () => void): void {
    this.socket.cork();
    try {
      run();
    } finally {
      this.socket.uncork();
    }
  }

  protected override putWhole(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    body: Uint8Array,
  ): void {
    this.writeLines(status, headers, bodyLength);
    if (body.length > 0) this.socket.write(body);
    this.putEnd();
  }

  protected override putHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
  ): void {
    if (status !== 101) {
      this.writeLines(status, headers, bodyLength);
      return;
    }
    this.isUpgraded = true;
    this.frames = new FrameReader(NOBODY);
    this.writeHeadLines(status, [...headers, ...UPGRADE_LINES]);
  }

  protected override putChunk(chunk: Uint8Array): boolean {
    // Behind a goodbye nothing may come.
    if (this.hasSaidGoodbye) return true;
    const takesMore = this.socket.write(chunk);
    if (this.frames?.feed(chunk) === false) this.frames = undefined;
    if (this.isLeaving) this.sayGoodbye();
    return takesMore;
  }

  protected override putEnd(): void {
    lingerBehind(this.socket);
    this.socket.destroySoon();
  }

  protected override pauseSource(): void {
    this.socket.pause();
  }

  protected override resumeSource(): void {
    this.socket.resume();
  }

  protected override cut(): void {
    this.socket.destroy();
  }

  /** Of a refusal, or an upstream's: nothing follows it. */
  private writeLines(status: number, headers: readonly string[], bodyLength: number | undefined): void {
    const framing = bodyLength === undefined ? [] : ['Content-Length', String(bodyLength)];
    this.writeHeadLines(status, [...headers, ...framing, 'Connection', 'close']);
  }

  private writeHeadLines(status: number, headers: readonly string[]): void {
    const head = joinHead(status, [...headers, 'Date', new Date().toUTCString()]);
    this.socket.write(Buffer.from(`HTTP/1.1 ${head}\r\n\r\n`, 'latin1'));
  }

  private sayGoodbye(): void {
    if (this.hasSaidGoodbye || this.frames?.isAtBoundary !== true) return;
    this.hasSaidGoodbye = true;
    this.socket.write(writeCloseFrame(GOING_AWAY));
  }

  private handleEnd(): void {
    if (this.isUpgraded) this.upgrade.accept(NOTHING, true);
    else this.socket.destroy();
  }
}
