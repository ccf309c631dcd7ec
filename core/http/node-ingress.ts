/**
 * A port on Node's own servers: the strict ingress. It speaks HTTP/1.0 and 1.1 with a parser that refuses whatever could
 * be read in two ways, and HTTP/2 and TLS where it is told to. Runs in any number of worker threads on the same port.
 */
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Http1Side } from './http1-side.ts';
import { Http2Side } from './http2-side.ts';
import {
  DEFAULT_CLIENT_TIMEOUT_MS,
  DEFAULT_HELD_BODY_BYTES,
  DEFAULT_IDLE_TIMEOUT_SECONDS,
  type Ingress,
  type IngressTls,
  type StrictIngressOptions,
} from './ingress.ts';
import { detectHttp2 } from './protocol-detection.ts';
import type { StrictContext } from './strict-context.ts';

/** Binds the port. Rejects when it cannot be bound. */
export async function startNodeIngress(options: StrictIngressOptions): Promise<Ingress> {
  const ingress = new NodeIngress(options);
  await ingress.listen();
  return ingress;
}

class NodeIngress implements Ingress {
  port = 0;
  readonly connections = { accepted: 0, active: 0 };

  private readonly options: StrictIngressOptions;
  private readonly clientTimeoutMs: number;
  private readonly acceptor: Server;
  private readonly sockets = new Set<Socket>();
  private http1!: Http1Side;
  private http2!: Http2Side;

  constructor(options: StrictIngressOptions) {
    this.options = options;
    this.clientTimeoutMs = options.clientTimeoutMs ?? DEFAULT_CLIENT_TIMEOUT_MS;
    this.acceptor = options.tls === undefined ? this.createPlain() : this.createTls(options.tls);
    this.acceptor.on('connection', (socket: Socket) => this.count(socket));
  }

  listen(): Promise<void> {
    const { address, port } = this.options;
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(new Error(`${address}:${port} cannot be bound`, { cause }));
      this.acceptor.once('error', fail);
      this.acceptor.listen({ host: address, port, reusePort: port !== 0 }, () => {
        this.acceptor.off('error', fail);
        this.port = (this.acceptor.address() as AddressInfo).port;
        const context = this.createContext();
        this.http1 = new Http1Side(context);
        this.http2 = new Http2Side(context);
        resolve();
      });
    });
  }

  stopAccepting(): void {
    if (this.acceptor.listening) this.acceptor.close();
    this.http1.drain();
    this.http2.drain();
  }

  close(): void {
    this.stopAccepting();
    this.http1.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private createContext(): StrictContext {
    const { options } = this;
    return {
      handler: options.handler,
      renderRefusal: options.renderRefusal,
      ...(options.onHandlerError !== undefined && { onHandlerError: options.onHandlerError }),
      clientTimeoutMs: this.clientTimeoutMs,
      idleTimeoutMs: (options.idleTimeoutSeconds ?? DEFAULT_IDLE_TIMEOUT_SECONDS) * 1000,
      settings: {
        scheme: options.tls === undefined ? 'http' : 'https',
        localPort: this.port,
        maxBodyBytes: options.maxBodyBytes || Number.POSITIVE_INFINITY,
        maxHeldBodyBytes: options.maxHeldBodyBytes ?? DEFAULT_HELD_BODY_BYTES,
        refuse: (code, exchange) => {
          const answer = options.renderRefusal(code, exchange);
          exchange.send(answer.status, answer.headers, answer.body);
        },
        isDraining: options.isDraining ?? (() => false),
      },
    };
  }

  private count(socket: Socket): void {
    this.connections.accepted++;
    this.connections.active++;
    this.sockets.add(socket);
    socket.once('close', () => {
      this.connections.active--;
      this.sockets.delete(socket);
    });
    socket.setNoDelay(true);
  }

  private createPlain(): Server {
    const speaksHttp2 = this.options.speaksHttp2 === true;
    return createTcpServer({ allowHalfOpen: true }, (socket) => {
      if (!speaksHttp2) this.http1.begin(socket, undefined);
      else {
        detectHttp2(socket, this.clientTimeoutMs, (isHttp2) =>
          isHttp2 ? this.http2.begin(socket) : this.http1.begin(socket, undefined),
        );
      }
    });
  }

  private createTls(tls: IngressTls): Server {
    const server = createTlsServer({
      allowHalfOpen: true,
      ...tls.ownCertificate,
      ALPNProtocols: this.options.speaksHttp2 === true ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback: (serverName, respond) => respond(null, tls.chooseContext(serverName)),
      minVersion: tls.minVersion,
      ...(tls.ciphers !== undefined && { ciphers: tls.ciphers }),
      handshakeTimeout: this.clientTimeoutMs,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      // A client that was reset in the middle is nobody's failure.
      socket.on('error', () => {});
      if (socket.alpnProtocol === 'h2') this.http2.begin(socket);
      else this.http1.begin(socket, (socket.servername as string | false | undefined) || undefined);
    });
    return server;
  }
}
