/**
 * A port on uWebSockets.js: copies each request out of the library, lets the guard refuse it, and hands the rest to
 * the gateway's handler. Runs in any number of worker threads on the same port.
 */
import type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
} from 'uWebSockets.js';
import type { ExchangeSettings, RequestHead } from './exchange-settings.ts';
import { createInspectedHead, inspectHead } from './guard.ts';
import {
  DEFAULT_CLIENT_TIMEOUT_MS,
  DEFAULT_HELD_BODY_BYTES,
  DEFAULT_IDLE_TIMEOUT_SECONDS,
  type Ingress,
  type IngressConnections,
  type IngressOptions,
} from './ingress.ts';
import { loadUws, type UwsModule } from './native-binding.ts';
import { formatPeerAddress } from './peer-address.ts';
import { UwsExchange } from './uws-exchange.ts';
import { type ClientSocket, UwsUpgradeExchange, type WebSocketData } from './uws-upgrade-exchange.ts';
import { BINARY, PING, PONG, TEXT } from './websocket-frames.ts';
import { judgeHandshake } from './websocket-handshake.ts';

/** The library has these, its type declarations do not. */
interface AppWithTimeouts {
  setIdleTimeout?(seconds: number): unknown;
  setResponseTimeout?(seconds: number): unknown;
}

/** Without limits of its own on silence and on what is on its way; messages are whole in memory, so they have one. */
const SOCKET_LIMITS = {
  compression: 0,
  maxPayloadLength: 16 * 1024 * 1024,
  maxBackpressure: 0,
  idleTimeout: 0,
  sendPingsAutomatically: false,
} as const;

/** The key that makes the library leave out its `uWebSockets: 20` response header. */
const SILENCE_KEY = '999999990007';

/** A thread that ends, for whatever reason, with sockets of the library open takes the process and its threads along. */
const openIngresses = new Set<Ingress>();
process.once('exit', () => {
  for (const ingress of openIngresses) ingress.close();
});

/** Binds the port. Rejects when it cannot be bound. */
export async function startUwsIngress(options: IngressOptions): Promise<Ingress> {
  const uws = loadUws();
  (uws as UwsModule & { _cfg?: (key: string) => void })._cfg?.(SILENCE_KEY);
  const app = uws.App();
  const connections = countConnections(app);
  setTimeouts(app, options.idleTimeoutSeconds ?? DEFAULT_IDLE_TIMEOUT_SECONDS);
  const socket = bind(app, options.address, options.port);
  const port = uws.us_socket_local_port(socket);
  const webSockets = new Set<UwsUpgradeExchange>();
  const serve = createServe(options, port);
  // Nothing is read from a connection before this function has returned to the event loop.
  serveWebSockets(app, serve, webSockets);
  app.any('/*', serve);
  let isAccepting = true;
  const stopAccepting = (): void => {
    if (!isAccepting) return;
    isAccepting = false;
    uws.us_listen_socket_close(socket);
    for (const exchange of [...webSockets]) exchange.goAway();
  };
  const ingress = {
    port,
    connections,
    stopAccepting,
    close() {
      openIngresses.delete(ingress);
      stopAccepting();
      app.close();
    },
  };
  openIngresses.add(ingress);
  return ingress;
}

/** What has the key of a handshake comes here first, whatever else it says. */
function serveWebSockets(app: TemplatedApp, serve: Serve, open: Set<UwsUpgradeExchange>): void {
  app.ws<WebSocketData>('/*', {
    ...SOCKET_LIMITS,
    upgrade: (res, req, context) => serve(res, req, context),
    open: (socket) => {
      const { exchange } = socket.getUserData();
      open.add(exchange);
      exchange.handleOpen(socket as ClientSocket);
    },
    message: (socket, payload, isBinary) =>
      socket.getUserData().exchange.handleMessage(isBinary ? BINARY : TEXT, payload),
    ping: (socket, payload) => socket.getUserData().exchange.handleMessage(PING, payload),
    pong: (socket, payload) => socket.getUserData().exchange.handleMessage(PONG, payload),
    drain: (socket) => socket.getUserData().exchange.handleDrain(),
    close: (socket, code, reason) => {
      const { exchange } = socket.getUserData();
      open.delete(exchange);
      exchange.handleClosed(code, reason);
    },
  });
}

/** The library calls back before it returns. */
function bind(app: TemplatedApp, address: string, port: number): us_listen_socket {
  let bound: us_listen_socket | false = false;
  app.listen(address, port, (socket) => {
    bound = socket;
  });
  if (bound === false) throw new Error(`${address}:${port} cannot be bound`);
  return bound;
}

function countConnections(app: TemplatedApp): IngressConnections {
  const connections = { accepted: 0, active: 0 };
  const count = (_: HttpResponse, change: number): void => {
    if (change === 1) connections.accepted++;
    connections.active += change;
  };
  app.filter(count as Parameters<TemplatedApp['filter']>[0]);
  return connections;
}

function setTimeouts(app: TemplatedApp, idleTimeoutSeconds: number): void {
  const adjustable = app as TemplatedApp & AppWithTimeouts;
  adjustable.setIdleTimeout?.(idleTimeoutSeconds);
  adjustable.setResponseTimeout?.(idleTimeoutSeconds);
}

let collected: string[] = [];
const collectHeader = (name: string, value: string): void => {
  collected.push(name, value);
};

/** `context`: of what may become a WebSocket. */
type Serve = (res: HttpResponse, req: HttpRequest, context?: us_socket_context_t) => void;

function createServe(options: IngressOptions, localPort: number): Serve {
  const { handler, renderRefusal, onHandlerError } = options;
  const maxBodyBytes = options.maxBodyBytes || Number.POSITIVE_INFINITY;
  const clientTimeoutMs = options.clientTimeoutMs ?? DEFAULT_CLIENT_TIMEOUT_MS;
  const found = createInspectedHead();
  const settings: ExchangeSettings = {
    scheme: 'http',
    localPort,
    maxBodyBytes,
    maxHeldBodyBytes: options.maxHeldBodyBytes ?? DEFAULT_HELD_BODY_BYTES,
    refuse: (code, exchange) => {
      const answer = renderRefusal(code, exchange);
      exchange.send(answer.status, answer.headers, answer.body);
    },
    isDraining: options.isDraining ?? (() => false),
  };

  return (res, req, context) => {
    let headers: string[] = [];
    collected = headers;
    req.forEach(collectHeader);
    const method = req.getCaseSensitiveMethod();
    const rawPath = req.getUrl();
    // Undefined without a `?`, whatever the declaration says.
    const rawQuery = req.getQuery() as string | undefined;
    let refusal = inspectHead(method, rawPath, rawQuery, headers, found);
    if (refusal === undefined && found.bodyLength > maxBodyBytes) refusal = 'GW_BODY_TOO_LARGE';
    if (found.hasForeignText) headers = headers.map(restoreBytes);
    const handshake = found.hasUpgrade ? judgeHandshake(method, headers, found.bodyLength) : false;
    if (typeof handshake === 'string') refusal ??= handshake;
    const head = {
      method,
      rawPath,
      rawQuery,
      headers,
      host: found.host,
      bodyLength: found.bodyLength,
      peerAddress: formatPeerAddress(res.getRemoteAddress()),
      isRefused: refusal !== undefined && refusal !== 'GW_METHOD_NOT_ALLOWED',
    };
    const exchange =
      handshake === true && context !== undefined
        ? new UwsUpgradeExchange(res, settings, withoutExtensions(head), context)
        : new UwsExchange(res, settings, head);
    if (exchange.body !== undefined) {
      res.onData((bytes, isLast) => exchange.acceptBody(bytes, isLast));
    }
    try {
      if (refusal === undefined) exchange.runHandler(handler);
      else settings.refuse(refusal, exchange);
    } catch (error) {
      exchange.destroy();
      onHandlerError?.(error);
    }
    if (exchange.isOver) return;
    res.onAborted(() => exchange.handleAbort());
    if (exchange.body !== undefined) exchange.awaitBody(clientTimeoutMs);
  };
}

/** What client and upstream would agree on is between them, but here the frames are the library's and ours. */
function withoutExtensions(head: RequestHead): RequestHead {
  const headers: string[] = [];
  for (let at = 0; at < head.headers.length; at += 2) {
    const name = head.headers[at] as string;
    if (name !== 'sec-websocket-extensions') headers.push(name, head.headers[at + 1] as string);
  }
  return { ...head, headers };
}

/** The library decodes values as UTF-8; everywhere else a character of a header stands for one byte. */
function restoreBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
