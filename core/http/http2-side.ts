/** The HTTP/2 side of a strict ingress: Node's server, which is given connections instead of listening for them. */
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Http2Exchange } from './http2-exchange.ts';
import { MAX_REQUEST_HEAD_BYTES } from './native-binding.ts';
import type { ClientConnection } from './node-exchange.ts';
import { readPeerAddress } from './peer-address.ts';
import { beginExchange, type StrictContext } from './strict-context.ts';
import { inspectHttp2 } from './strict-guard.ts';

/** Requests one client may have in work at a time on one connection; nginx's number. */
const MAX_STREAMS = 128;
const MAX_HEADERS = 128;
const FAREWELL_MS = 1000;

interface Http2Connection extends ClientConnection {
  openStreams: number;
}

export class Http2Side {
  private readonly context: StrictContext;
  private readonly server: Http2Server;
  /** The socket whose session is being made. */
  private beginning: Socket | undefined;
  private readonly sessions = new Map<ServerHttp2Session, Http2Connection>();

  constructor(context: StrictContext) {
    this.context = context;
    this.server = createServer({
      maxHeaderListPairs: MAX_HEADERS,
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_REQUEST_HEAD_BYTES },
    });
    this.server.on('session', (session) => this.keep(session));
    this.server.on('stream', (stream, headers, flags, rawHeaders) =>
      this.serve(stream, headers, flags, rawHeaders),
    );
  }

  begin(socket: Socket): void {
    // A client that has closed its half is gone, and the library would wait for it for ever.
    socket.allowHalfOpen = false;
    this.beginning = socket;
    this.server.emit('connection', socket);
  }

  /** Tells clients to leave once what they have asked for is answered. */
  drain(): void {
    for (const session of this.sessions.keys()) session.close();
  }

  private keep(session: ServerHttp2Session): void {
    const socket = this.beginning as (Socket & { readonly servername?: string | false }) | undefined;
    const peerAddress = readPeerAddress(socket?.remoteAddress);
    const connection = { peerAddress, sni: socket?.servername || undefined, openStreams: 0 };
    this.sessions.set(session, connection);
    session.once('close', () => this.sessions.delete(session));
    session.on('error', () => {});
    if (socket !== undefined) this.watch(session, connection, socket);
    session.setTimeout(this.context.idleTimeoutMs);
    session.on('timeout', () => {
      // Streams have time limits of their own.
      if (connection.openStreams > 0 || session.destroyed) return;
      session.goaway();
      // A client that is gone takes no farewell, and by TLS the library does not notice while something waits for it.
      setTimeout(() => connection.openStreams === 0 && socket?.destroy(), FAREWELL_MS).unref();
    });
  }

  /**
   * The library may keep the socket of a client that goes wrong and hangs up, and tells nobody: one on which nothing has
   * moved for as long as an idle connection is kept is cut, unless somebody still waits for an answer on it.
   */
  private watch(session: ServerHttp2Session, connection: Http2Connection, socket: Socket): void {
    const { idleTimeoutMs } = this.context;
    let seenBytes = -1;
    const look = setInterval(() => {
      const bytes = socket.bytesRead + socket.bytesWritten;
      const isAwaited = connection.openStreams > 0 && !session.destroyed && !session.closed;
      if (bytes === seenBytes && !isAwaited) socket.destroy();
      seenBytes = bytes;
    }, idleTimeoutMs).unref();
    socket.once('close', () => clearInterval(look));
  }

  private serve(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void {
    // Also of a stream whose connection failed before it could be served: nobody else listens to that one.
    stream.on('error', () => {});
    const connection = this.sessions.get(stream.session as ServerHttp2Session);
    if (connection === undefined) {
      stream.destroy();
      return;
    }
    connection.openStreams++;
    stream.once('close', () => connection.openStreams--);
    const { context } = this;
    const { head, refusal } = inspectHttp2(
      rawHeaders,
      headers,
      flags,
      connection,
      context.settings.maxBodyBytes,
    );
    const exchange = new Http2Exchange(stream, context.settings, head, connection, context.clientTimeoutMs);
    beginExchange(exchange, refusal, context);
  }
}
