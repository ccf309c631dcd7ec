/** The HTTP/1 side of a strict ingress: Node's server, which is given connections instead of listening for them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { Http1Connection, type Http1Server, type UpgradeRequest } from './http1-connection.ts';
import { Http1Exchange, type Http1Request } from './http1-exchange.ts';
import type { RefusalAnswer } from './ingress.ts';
import { MAX_REQUEST_HEAD_BYTES } from './native-binding.ts';
import { beginExchange, type StrictContext } from './strict-context.ts';
import { inspectHttp1, lowerNames } from './strict-guard.ts';
import { UpgradeExchange } from './upgrade-exchange.ts';
import { judgeHandshake } from './websocket-handshake.ts';

const TIMEOUT_CHECK_MS = 500;
const MAX_TARGET_BYTES = 8192;

interface UnreadableRequest extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

export class Http1Side implements Http1Server {
  private readonly context: StrictContext;
  private readonly server: Server;
  private readonly connections = new WeakMap<object, Http1Connection>();
  private readonly upgrades = new Set<UpgradeExchange>();

  constructor(context: StrictContext) {
    this.context = context;
    this.server = createServer({
      insecureHTTPParser: false,
      // The guard knows that HTTP/1.0 needs none.
      requireHostHeader: false,
      maxHeaderSize: MAX_REQUEST_HEAD_BYTES,
      headersTimeout: context.clientTimeoutMs,
      // A body may take as long as it wants, unless it stops.
      requestTimeout: 0,
      keepAliveTimeout: context.idleTimeoutMs,
      // What asks for anything else than a WebSocket is an ordinary request.
      shouldUpgradeCallback: ({ method = '', headers, rawHeaders }) =>
        headers.upgrade !== undefined && judgeHandshake(method, lowerNames(rawHeaders), 0) !== false,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, context.clientTimeoutMs),
    });
    this.server.on('upgrade', (request, socket, early) =>
      this.connections.get(socket)?.acceptUpgrade({ request, socket: socket as Socket, early }),
    );
    // By default what is too much would be left out in silence.
    this.server.maxHeadersCount = 0;
    const accept = (request: IncomingMessage, response: ServerResponse) =>
      this.accept({ request, response, expectsContinue: false });
    this.server.on('request', accept);
    this.server.on('checkExpectation', accept);
    this.server.on('checkContinue', (request, response) =>
      this.accept({ request, response, expectsContinue: true }),
    );
    this.server.on('connect', ({ socket }) =>
      this.connections.get(socket)?.handleUnreadable('GW_METHOD_NOT_ALLOWED'),
    );
    this.server.on('clientError', (error, socket) => this.handleError(error, socket as Socket));
    // It is given connections and never listens: this starts its watch over slow heads and idle connections.
    this.server.emit('listening');
  }

  begin(socket: Socket, sni: string | undefined): void {
    this.connections.set(socket, new Http1Connection(socket, sni, this));
    this.server.emit('connection', socket);
  }

  /** Ends connections without a request in work. */
  closeIdle(): void {
    this.server.closeIdleConnections();
  }

  close(): void {
    this.server.close();
  }

  serve(given: Http1Request, connection: Http1Connection): Http1Exchange {
    const { context } = this;
    const { head, refusal } = inspectHttp1(given.request, connection, context.settings.maxBodyBytes);
    const exchange = new Http1Exchange(given, context.settings, head, connection, context.clientTimeoutMs);
    beginExchange(exchange, refusal, context);
    return exchange;
  }

  serveUpgrade({ request, socket, early }: UpgradeRequest, connection: Http1Connection): void {
    const { context } = this;
    const inspected = inspectHttp1(request, connection, context.settings.maxBodyBytes);
    const { head } = inspected;
    const isGood = judgeHandshake(head.method, head.headers, head.bodyLength);
    const refusal = inspected.refusal ?? (isGood === true ? undefined : isGood || 'GW_BAD_REQUEST');
    const exchange = new UpgradeExchange(socket, early, context.settings, head, connection);
    this.upgrades.add(exchange);
    socket.once('close', () => this.upgrades.delete(exchange));
    beginExchange(exchange, refusal, context);
  }

  /** WebSockets are asked to go elsewhere. */
  drain(): void {
    for (const exchange of this.upgrades) exchange.goAway();
  }

  renderUnreadable(code: ErrorCode): RefusalAnswer {
    return this.context.renderRefusal(code, {
      headers: [],
      httpVersion: '1.1',
      receivedAtMs: performance.timeOrigin + performance.now(),
    });
  }

  private accept(request: Http1Request): void {
    this.connections.get(request.request.socket)?.accept(request);
  }

  private handleError(error: UnreadableRequest, socket: Socket): void {
    const connection = this.connections.get(socket);
    const { code = '' } = error;
    if (code === 'HPE_CLOSED_CONNECTION') connection?.handleSurplus();
    else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') connection?.handleUnreadable('GW_REQUEST_TIMEOUT');
    else if (code === 'HPE_HEADER_OVERFLOW') connection?.handleUnreadable(judgeOverflow(error.rawPacket));
    else if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE')
      connection?.handleUnreadable('GW_BAD_REQUEST');
    else socket.destroy();
  }
}

/** Whether it was the request line or the headers that had no end. */
function judgeOverflow(packet: Buffer | undefined): ErrorCode {
  const lineEnd = packet?.indexOf('\r\n') ?? -1;
  return lineEnd < 0 || lineEnd > MAX_TARGET_BYTES ? 'GW_URI_TOO_LONG' : 'GW_HEADERS_TOO_LARGE';
}
