/**
 * A client's HTTP/1 connection on Node's own server. Requests that came together are served one behind the other, and
 * nothing is served behind what could not be read or was refused.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { joinHead } from './answer-head.ts';
import type { Http1Exchange, Http1Request } from './http1-exchange.ts';
import { lingerBehind } from './http1-exchange.ts';
import type { RefusalAnswer } from './ingress.ts';
import type { ClientConnection } from './node-exchange.ts';
import { readPeerAddress } from './peer-address.ts';

/** Requests that may wait behind the one in work before nothing more is read. */
const MAX_WAITING = 100;

/** A request that wants to become a WebSocket; the parser has let go of its connection. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Bytes that came with the head. */
  readonly early: Buffer;
}

export interface Http1Server {
  /** Begins to serve a request. */
  serve(request: Http1Request, connection: Http1Connection): Http1Exchange;
  serveUpgrade(request: UpgradeRequest, connection: Http1Connection): void;
  /** The answer to something that is no request. */
  renderUnreadable(code: ErrorCode): RefusalAnswer;
}

export class Http1Connection implements ClientConnection {
  readonly peerAddress: string;
  readonly sni: string | undefined;

  private readonly socket: Socket;
  private readonly server: Http1Server;
  private readonly waiting: Http1Request[] = [];
  private current: Http1Exchange | undefined;
  /** What came behind the current request and cannot be read. */
  private unreadable: ErrorCode | undefined;
  private isClosing = false;

  constructor(socket: Socket, sni: string | undefined, server: Http1Server) {
    this.socket = socket;
    this.sni = sni;
    this.server = server;
    this.peerAddress = readPeerAddress(socket.remoteAddress);
  }

  accept(request: Http1Request): void {
    if (this.isClosing) return;
    if (this.current === undefined) {
      this.serve(request);
      return;
    }
    this.waiting.push(request);
    if (this.waiting.length >= MAX_WAITING) this.socket.pause();
  }

  /** Behind a request that still waits for its answer nobody asks for another protocol. */
  acceptUpgrade(upgrade: UpgradeRequest): void {
    if (this.isClosing || this.current !== undefined) this.socket.destroy();
    else this.server.serveUpgrade(upgrade, this);
  }

  /** The parser has given up; nothing more will come of this connection. */
  handleUnreadable(code: ErrorCode): void {
    if (this.isClosing || this.unreadable !== undefined) return;
    const { current } = this;
    if (current === undefined) this.refuse(code);
    else if (current.body?.isComplete === false && this.waiting.length === 0) {
      this.isClosing = true;
      current.giveUp(code);
    } else this.unreadable = code;
  }

  /** The client said that it would close, and went on. */
  handleSurplus(): void {
    if (this.current === undefined) this.socket.destroy();
  }

  private serve(request: Http1Request): void {
    const exchange = this.server.serve(request, this);
    this.current = exchange;
    if (exchange.closes) this.isClosing = true;
    if (request.response.closed) this.handleDone(exchange);
    else request.response.once('close', () => this.handleDone(exchange));
  }

  private handleDone(exchange: Http1Exchange): void {
    exchange.handleClose();
    this.current = undefined;
    if (exchange.closes) this.isClosing = true;
    if (this.isClosing || this.socket.destroyed) return;
    const next = this.waiting.shift();
    if (next !== undefined) this.serve(next);
    else if (this.unreadable !== undefined) this.refuse(this.unreadable);
    else this.socket.resume();
  }

  private refuse(code: ErrorCode): void {
    this.isClosing = true;
    const { status, headers, body } = this.server.renderUnreadable(code);
    const bytes = Buffer.from(body);
    const framing = ['Content-Length', String(bytes.length), 'Connection', 'close'];
    const head = joinHead(status, [...headers, ...framing, 'Date', new Date().toUTCString()]);
    this.socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${head}\r\n\r\n`, 'latin1'), bytes]));
    lingerBehind(this.socket);
    this.socket.destroySoon();
  }
}
