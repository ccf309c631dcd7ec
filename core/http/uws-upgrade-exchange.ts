/**
 * A request to become a WebSocket on uWebSockets.js, which owns the client's frames: messages become frames for the
 * upstream, and the upstream's frames become messages. Pings, close codes and reasons pass through.
 */
import type { HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { encodeHead, joinHead } from './answer-head.ts';
import type { ExchangeSettings, RequestHead } from './exchange-settings.ts';
import { HeldRequestBody } from './held-request-body.ts';
import { UwsExchange } from './uws-exchange.ts';
import { CLOSE, FrameReader, PING, writeClosePayload, writeMaskedFrame } from './websocket-frames.ts';

export interface WebSocketData {
  readonly exchange: UwsUpgradeExchange;
}

/** The library has these, its type declarations do not. */
interface FragmentSender {
  sendFirstFragment(piece: Uint8Array, isBinary: boolean, compress: boolean): number;
  sendFragment(piece: Uint8Array, compress: boolean): number;
  sendLastFragment(piece: Uint8Array, compress: boolean): number;
}

export type ClientSocket = WebSocket<WebSocketData> & FragmentSender;

/** Of what the client sends while the upstream takes nothing: the library cannot be told to stop reading. */
const MAX_UNTAKEN_BYTES = 16 * 1024 * 1024;
/** More than this on its way to the client, and the upstream is paused. */
const MAX_BUFFERED_BYTES = 65_536;
const MAX_HELD_BYTES = 4096;

const GOING_AWAY = 1001;
const BAD_UPSTREAM = 1014;
const TRY_AGAIN_LATER = 1013;
/** What the library calls a close frame without a code, and no close frame at all. */
const NO_CODE = 1005;
const NO_CLOSE = 1006;
const NOTHING = new Uint8Array(0);
/** The library writes these itself. */
const HANDSHAKE_NAMES = new Set([
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
]);

export class UwsUpgradeExchange extends UwsExchange {
  readonly upgrade: HeldRequestBody;

  private readonly context: us_socket_context_t;
  private readonly frames: FrameReader;
  private socket: ClientSocket | undefined;
  private isUpgraded = false;
  private untakenBytes = 0;
  private isTaking = true;

  constructor(
    res: HttpResponse,
    settings: ExchangeSettings,
    head: RequestHead,
    context: us_socket_context_t,
  ) {
    super(res, settings, head);
    this.context = context;
    const source = {
      pauseReading: () => {
        this.isTaking = false;
      },
      resumeReading: () => {
        this.isTaking = true;
        this.untakenBytes = 0;
      },
    };
    this.upgrade = new HeldRequestBody(source, undefined, MAX_HELD_BYTES);
    this.frames = new FrameReader({
      onPiece: (payload, isBinary, isFirst, isLast) => this.sendPiece(payload, isBinary, isFirst, isLast),
      onControl: (opcode, payload) => this.takeControl(opcode, payload),
    });
  }

  override get bytesReceived(): number {
    return super.bytesReceived + this.upgrade.bytesReceived;
  }

  override writeHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    hasBody: boolean,
  ): void {
    if (status === 101) this.switchProtocols(headers);
    else super.writeHead(status, headers, bodyLength, hasBody);
  }

  /** Bytes of the upstream's frames. */
  override write(chunk: Uint8Array): boolean {
    if (!this.isUpgraded) return super.write(chunk);
    if (this.socket === undefined) return true;
    this.bytesSent += chunk.length;
    let isGood = true;
    this.socket.cork(() => {
      isGood = this.frames.feed(chunk);
    });
    if (!isGood) this.socket?.end(BAD_UPSTREAM, 'the service sent something else than frames');
    return this.socket === undefined || this.socket.getBufferedAmount() <= MAX_BUFFERED_BYTES;
  }

  /** The upstream is gone. */
  override end(): void {
    if (!this.isUpgraded) super.end();
    else this.closeSocket();
  }

  override destroy(): void {
    if (!this.isUpgraded) {
      super.destroy();
      return;
    }
    this.isAborted = true;
    this.closeSocket();
  }

  override cork(run: () => void): void {
    if (this.isUpgraded) run();
    else super.cork(run);
  }

  /** The gateway stops. */
  goAway(): void {
    this.socket?.end(GOING_AWAY);
  }

  handleOpen(socket: ClientSocket): void {
    this.socket = socket;
  }

  handleMessage(opcode: number, payload: ArrayBuffer): void {
    if (!this.isTaking) {
      this.untakenBytes += payload.byteLength;
      if (this.untakenBytes > MAX_UNTAKEN_BYTES) {
        this.socket?.end(TRY_AGAIN_LATER, 'the service does not keep up');
        return;
      }
    }
    this.upgrade.accept(writeMaskedFrame(opcode, new Uint8Array(payload)), false);
  }

  handleDrain(): void {
    if ((this.socket?.getBufferedAmount() ?? 0) <= MAX_BUFFERED_BYTES) this.events?.onDrain();
  }

  /** Whoever has closed: the upstream hears with which code, and then nothing more. */
  handleClosed(code: number, reason: ArrayBuffer): void {
    const wasClosed = this.socket === undefined;
    this.socket = undefined;
    if (wasClosed) return;
    if (code === NO_CLOSE) {
      this.isAborted = true;
      this.events?.onAborted();
      return;
    }
    const payload = writeClosePayload(
      code === NO_CODE ? undefined : code,
      Buffer.from(reason).toString('utf8'),
    );
    this.upgrade.accept(writeMaskedFrame(CLOSE, payload), false);
    this.upgrade.accept(NOTHING, true);
  }

  private switchProtocols(headers: readonly string[]): void {
    const res = this.takeResponse();
    if (res === undefined) return;
    this.isUpgraded = true;
    let protocol = '';
    const passed: string[] = [];
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] as string;
      const value = headers[at + 1] as string;
      if (name.toLowerCase() === 'sec-websocket-protocol') protocol = value;
      if (!HANDSHAKE_NAMES.has(name.toLowerCase())) passed.push(name, value);
    }
    const key = findValue(this.headers, 'sec-websocket-key');
    const head = joinHead(101, passed);
    this.bytesSent = head.length;
    res.cork(() => {
      res.writeStatus(encodeHead(head));
      res.upgrade<WebSocketData>({ exchange: this }, key, protocol, '', this.context);
    });
  }

  private sendPiece(payload: Uint8Array, isBinary: boolean, isFirst: boolean, isLast: boolean): void {
    const socket = this.socket;
    if (socket === undefined) return;
    if (isFirst && isLast) socket.send(payload, isBinary, false);
    else if (isFirst) socket.sendFirstFragment(payload, isBinary, false);
    else if (isLast) socket.sendLastFragment(payload, false);
    else socket.sendFragment(payload, false);
  }

  /** The library answers pings of the client by itself, so the upstream's pongs have nobody to go to. */
  private takeControl(opcode: number, payload: Buffer): void {
    if (opcode === PING) this.socket?.ping(payload);
    else if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE() : 0;
      this.socket?.end(code, payload.subarray(2));
    }
  }

  private closeSocket(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }
}

function findValue(headers: readonly string[], name: string): string {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1] as string;
  return '';
}
