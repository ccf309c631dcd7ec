/**
 * A port on uWebSockets.js: copies each request out of the library, lets the guard refuse it, and hands the rest to
 * the gateway's handler. Runs in any number of worker threads on the same port.
 */
import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { ErrorCode } from '../errors.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { createInspectedHead, inspectHead } from './guard.ts';
import { loadUws, type UwsModule } from './native-binding.ts';
import { formatPeerAddress } from './peer-address.ts';
import { type ExchangeSettings, UwsExchange } from './uws-exchange.ts';

/** What a refused client gets; the gateway owns formats and headers of errors. */
export interface RefusalAnswer {
  readonly status: number;
  /** Flat: [name, value, …], without framing headers. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface ListenerOptions {
  /** Address to bind, such as 127.0.0.1 or ::. */
  readonly address: string;
  /** 0 takes a free one, which no other listener can share; any other port can be shared between threads. */
  readonly port: number;
  readonly handler: ExchangeHandler;
  /** Answer to a request that never reaches the handler (contract/proxy.md section 6.5). */
  readonly renderRefusal: (code: ErrorCode, exchange: ClientExchange) => RefusalAnswer;
  /** While true, answers carry `Connection: close`. Default: never. */
  readonly isDraining?: () => boolean;
  /** Hears what a handler threw; the client's connection is cut. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Longest request body, declared or counted. Default 0 = unlimited (`client_max_body_size`). */
  readonly maxBodyBytes?: number;
  /** Bytes of a request body held in memory for replay. Default 1 MiB. */
  readonly maxHeldBodyBytes?: number;
  /** Silence after which a connection without a request in work is closed. Default 75 s (contract section 7.3). */
  readonly idleTimeoutSeconds?: number;
}

export interface ListenerConnections {
  readonly accepted: number;
  readonly active: number;
}

export interface Listener {
  readonly port: number;
  readonly connections: ListenerConnections;
  /** Takes no more connections; those there are stay. */
  stopAccepting(): void;
  /** Cuts all connections and gives up the port. */
  close(): void;
}

/** The library has these, its type declarations do not. */
interface AppWithTimeouts {
  setIdleTimeout?(seconds: number): unknown;
  setResponseTimeout?(seconds: number): unknown;
}

const DEFAULT_HELD_BODY_BYTES = 1024 * 1024;
const DEFAULT_IDLE_TIMEOUT_SECONDS = 75;
/** The key that makes the library leave out its `uWebSockets: 20` response header. */
const SILENCE_KEY = '999999990007';

/** Binds the port. Rejects when it cannot be bound. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const uws = loadUws();
  (uws as UwsModule & { _cfg?: (key: string) => void })._cfg?.(SILENCE_KEY);
  const app = uws.App();
  const connections = countConnections(app);
  setTimeouts(app, options.idleTimeoutSeconds ?? DEFAULT_IDLE_TIMEOUT_SECONDS);
  const socket = bind(app, options.address, options.port);
  const port = uws.us_socket_local_port(socket);
  // Nothing is read from a connection before this function has returned to the event loop.
  app.any('/*', createServe(options, port));
  let isAccepting = true;
  const stopAccepting = (): void => {
    if (!isAccepting) return;
    isAccepting = false;
    uws.us_listen_socket_close(socket);
  };
  return {
    port,
    connections,
    stopAccepting,
    close() {
      stopAccepting();
      app.close();
    },
  };
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

function countConnections(app: TemplatedApp): ListenerConnections {
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

function createServe(
  options: ListenerOptions,
  localPort: number,
): (res: HttpResponse, req: HttpRequest) => void {
  const { handler, renderRefusal, onHandlerError } = options;
  const maxBodyBytes = options.maxBodyBytes || Number.POSITIVE_INFINITY;
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

  return (res, req) => {
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
    const exchange = new UwsExchange(res, settings, {
      method,
      rawPath,
      rawQuery,
      headers,
      host: found.host,
      bodyLength: found.bodyLength,
      peerAddress: formatPeerAddress(res.getRemoteAddress()),
      isRefused: refusal !== undefined && refusal !== 'GW_METHOD_NOT_ALLOWED',
    });
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
    if (!exchange.isOver) res.onAborted(() => exchange.handleAbort());
  };
}

/** The library decodes values as UTF-8; everywhere else a character of a header stands for one byte. */
function restoreBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
