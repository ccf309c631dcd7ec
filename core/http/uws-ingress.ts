/**
 * A port on uWebSockets.js: copies each request out of the library, lets the guard refuse it, and hands the rest to
 * the gateway's handler. Runs in any number of worker threads on the same port.
 */
import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { ExchangeSettings } from './exchange-settings.ts';
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

/** The library has these, its type declarations do not. */
interface AppWithTimeouts {
  setIdleTimeout?(seconds: number): unknown;
  setResponseTimeout?(seconds: number): unknown;
}

/** The key that makes the library leave out its `uWebSockets: 20` response header. */
const SILENCE_KEY = '999999990007';

/** Binds the port. Rejects when it cannot be bound. */
export async function startUwsIngress(options: IngressOptions): Promise<Ingress> {
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

function createServe(
  options: IngressOptions,
  localPort: number,
): (res: HttpResponse, req: HttpRequest) => void {
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
    if (exchange.isOver) return;
    res.onAborted(() => exchange.handleAbort());
    if (exchange.body !== undefined) exchange.awaitBody(clientTimeoutMs);
  };
}

/** The library decodes values as UTF-8; everywhere else a character of a header stands for one byte. */
function restoreBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
