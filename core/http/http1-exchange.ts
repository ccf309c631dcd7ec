/** One request and its answer over HTTP/1.0 or 1.1 on Node's own server. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ExchangeSettings, RequestHead } from './exchange-settings.ts';
import { type ClientConnection, NodeExchange } from './node-exchange.ts';

/** How long a client may go on sending behind an answer that closes its connection. */
const MAX_LINGER_MS = 5000;

export interface Http1Request {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** It waits to be told to send its body. */
  readonly expectsContinue: boolean;
}

export class Http1Exchange extends NodeExchange {
  readonly httpVersion: '1.0' | '1.1';

  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly socket: Socket;
  private readonly clientTimeoutMs: number;
  private readonly bytesBefore: number;
  private bytesAtEnd = -1;
  private expectsContinue: boolean;

  constructor(
    { request, response, expectsContinue }: Http1Request,
    settings: ExchangeSettings,
    head: RequestHead,
    connection: ClientConnection,
    clientTimeoutMs: number,
  ) {
    super(settings, head, connection.sni);
    this.httpVersion = request.httpVersion === '1.0' ? '1.0' : '1.1';
    this.request = request;
    this.response = response;
    this.socket = request.socket;
    this.clientTimeoutMs = clientTimeoutMs;
    this.bytesBefore = this.socket.bytesWritten;
    this.expectsContinue = expectsContinue;
    // It sends nothing before it has been told to, which is when somebody reads.
    if (expectsContinue) this.isReadingPaused = true;
    request.on('error', ignore);
    response.on('error', ignore);
    response.on('drain', () => this.handleDrain());
    response.on('timeout', () => this.handleSilence());
    if (this.body !== undefined) this.readBody();
  }

  get bytesSent(): number {
    return (this.bytesAtEnd < 0 ? this.socket.bytesWritten : this.bytesAtEnd) - this.bytesBefore;
  }

  /** The connection serves nobody behind this answer. */
  get closes(): boolean {
    return this.isRefused || !this.response.shouldKeepAlive || this.settings.isDraining();
  }

  /** The last byte has been handed to the system, or the connection is gone. */
  handleClose(): void {
    this.bytesAtEnd = this.socket.bytesWritten;
    if (!this.response.writableFinished) this.handleAbort();
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
    this.startAnswer(status, headers, bodyLength);
    this.endAnswer(body);
  }

  protected override putHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
  ): void {
    this.startAnswer(status, headers, bodyLength);
    this.response.flushHeaders();
  }

  protected override putChunk(chunk: Uint8Array): boolean {
    const takesMore = this.response.write(chunk);
    if (!takesMore) this.awaitClient();
    return takesMore;
  }

  protected override putEnd(): void {
    this.endAnswer(undefined);
  }

  protected override pauseSource(): void {
    this.request.pause();
  }

  protected override resumeSource(): void {
    if (this.expectsContinue) {
      this.expectsContinue = false;
      if (!this.isOver) this.response.writeContinue();
    }
    this.request.resume();
    this.awaitClient();
  }

  protected override cut(): void {
    this.socket.destroy();
  }

  private readBody(): void {
    const { request } = this;
    request.on('data', (chunk: Buffer) => this.acceptBody(chunk));
    request.on('end', () => {
      this.socket.setTimeout(0);
      this.endBody();
    });
    request.on('timeout', () => this.handleSilence());
    this.awaitClient();
  }

  private startAnswer(status: number, headers: readonly string[], bodyLength: number | undefined): void {
    const lines = headers.slice();
    if (bodyLength !== undefined) lines.push('Content-Length', String(bodyLength));
    if (this.closes) lines.push('Connection', 'close');
    // Nothing need be said of keeping a connection in HTTP/1.1.
    else if (this.httpVersion === '1.1') this.response.removeHeader('connection');
    this.response.writeHead(status, STATUS_CODES[status] ?? '', lines);
  }

  private endAnswer(rest: Uint8Array | undefined): void {
    if (this.closes && this.body?.isComplete === false) lingerBehind(this.socket);
    if (rest === undefined || rest.length === 0) this.response.end();
    else this.response.end(rest);
    if (this.socket.writableLength > 0) this.awaitClient();
  }

  protected override handleDrain(): void {
    if (this.body?.isComplete !== false) this.socket.setTimeout(0);
    super.handleDrain();
  }

  /** From now on the client must not be silent for too long. */
  private awaitClient(): void {
    this.socket.setTimeout(this.clientTimeoutMs);
  }

  private handleSilence(): void {
    if (this.isBlocked || this.isOver) this.abandon();
    else if (this.body?.isComplete === false && !this.isReadingPaused) this.giveUp('GW_REQUEST_TIMEOUT');
    // Whoever reads the body is slow, not the client.
    else this.awaitClient();
  }

  /** The client takes nothing of its answer any more. */
  private abandon(): void {
    this.cut();
    this.handleAbort();
  }
}

/**
 * Makes the server's way of closing a connection wait for the rest of a body that nobody reads: closed at once, the
 * client would be reset, and might never see the answer.
 */
export function lingerBehind(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.once('end', () => socket.destroy());
    setTimeout(() => socket.destroy(), MAX_LINGER_MS).unref();
  };
}

/** What goes wrong with a message is heard of its connection. */
function ignore(): void {}
