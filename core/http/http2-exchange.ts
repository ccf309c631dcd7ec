/** One request and its answer as a stream of an HTTP/2 connection. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ExchangeSettings, RequestHead } from './exchange-settings.ts';
import { type ClientConnection, NodeExchange } from './node-exchange.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

/** Of the connection in HTTP/1; in HTTP/2 they make an answer malformed (RFC 9113 section 8.2.2). */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);
const MAX_STATUS = 599;
/** What clients read line by line. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'set-cookie',
  'www-authenticate',
  'proxy-authenticate',
  'link',
  'vary',
  'via',
]);

export class Http2Exchange extends NodeExchange {
  readonly httpVersion = '2';

  private readonly stream: ServerHttp2Stream;
  private readonly clientTimeoutMs: number;
  /** A gRPC call, whose outcome is told behind the body. */
  private readonly isCall: boolean;
  private trailers: OutgoingHttpHeaders | undefined;
  private bytesGiven = 0;
  /** Its body, should it have one, is left out: a 205 has none (RFC 9110 section 15.3.6), and the library sees to that. */
  private isHeadOnly = false;

  constructor(
    stream: ServerHttp2Stream,
    settings: ExchangeSettings,
    head: RequestHead & { readonly isCall: boolean },
    connection: ClientConnection,
    clientTimeoutMs: number,
  ) {
    super(settings, head, connection.sni);
    this.stream = stream;
    this.clientTimeoutMs = clientTimeoutMs;
    this.isCall = head.isCall;
    stream.on('drain', () => this.handleDrain());
    stream.on('close', () => this.handleAbort());
    stream.on('timeout', () => this.handleSilence());
    if (this.body !== undefined) this.readBody();
  }

  /** What was handed over: how it is framed is the library's affair. */
  get bytesSent(): number {
    return this.bytesGiven;
  }

  override cork(run: () => void): void {
    run();
  }

  protected override get hasTrailers(): boolean {
    return this.isCall;
  }

  protected override putWhole(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    body: Uint8Array,
  ): void {
    this.respond(status, headers, bodyLength, body.length === 0, false);
    if (body.length > 0 && !this.isHeadOnly) {
      this.stream.end(body);
      this.bytesGiven += body.length;
    }
    this.endReading();
  }

  protected override putHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
  ): void {
    this.respond(status, headers, bodyLength, false, this.isCall);
  }

  protected override putChunk(chunk: Uint8Array): boolean {
    if (this.isHeadOnly) return true;
    this.bytesGiven += chunk.length;
    const takesMore = this.stream.write(chunk);
    if (!takesMore) this.awaitClient();
    return takesMore;
  }

  protected override putEnd(trailers: readonly string[] | undefined): void {
    if (trailers !== undefined) this.trailers = groupByName(trailers);
    this.stream.end();
    if (!this.isCall) this.endReading();
  }

  protected override pauseSource(): void {
    this.stream.pause();
  }

  protected override resumeSource(): void {
    this.stream.resume();
    if (!this.isOver) this.awaitClient();
  }

  protected override cut(): void {
    this.stream.close(NGHTTP2_INTERNAL_ERROR);
    // The reset may never get out to a client that takes nothing.
    this.stream.destroy();
  }

  protected override handleDrain(): void {
    if (this.body?.isComplete !== false) this.stream.setTimeout(0);
    super.handleDrain();
  }

  private readBody(): void {
    this.stream.on('data', (chunk: Buffer) => this.acceptBody(chunk));
    this.stream.on('end', () => {
      if (!this.isBlocked) this.stream.setTimeout(0);
      this.endBody();
    });
    this.awaitClient();
  }

  private respond(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    endStream: boolean,
    waitForTrailers: boolean,
  ): void {
    const { stream } = this;
    if (stream.destroyed || stream.closed) return;
    // Clients take what they do not know for a 500, and HTTP/2 has no way to say it (RFC 9110 section 15).
    const lines = [':status', String(status > MAX_STATUS ? 500 : status)];
    for (let at = 0; at < headers.length; at += 2) {
      const name = (headers[at] as string).toLowerCase();
      if (CONNECTION_HEADERS.has(name)) continue;
      lines.push(name, headers[at + 1] as string);
    }
    this.isHeadOnly = status === 205;
    if (bodyLength !== undefined && !this.isHeadOnly) lines.push('content-length', String(bodyLength));
    for (let at = 0; at < lines.length; at += 2) {
      this.bytesGiven += (lines[at] as string).length + (lines[at + 1] as string).length;
    }
    if (waitForTrailers) stream.once('wantTrailers', () => this.sendTrailers());
    const options = { endStream, waitForTrailers };
    // What an upstream has made up may be refused by the library, and nobody is there to catch that.
    try {
      stream.respond(lines, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') this.cut();
      else stream.respond(keepFirstOfEach(lines), options);
    }
  }

  private sendTrailers(): void {
    try {
      this.stream.sendTrailers(this.trailers ?? {});
    } catch {
      this.cut();
    }
    if (this.body?.isComplete === false) setImmediate(() => this.stream.close(NGHTTP2_NO_ERROR));
  }

  /** The client is told that the rest of its body is not wanted (RFC 9113 section 8.1). */
  private endReading(): void {
    if (this.body?.isComplete !== false) return;
    this.stream.once('finish', () => setImmediate(() => this.stream.close(NGHTTP2_NO_ERROR)));
  }

  private awaitClient(): void {
    this.stream.setTimeout(this.clientTimeoutMs);
  }

  private handleSilence(): void {
    if (this.isBlocked || this.isOver) {
      this.cut();
      this.handleAbort();
    } else if (this.body?.isComplete === false && !this.isReadingPaused) this.giveUp('GW_REQUEST_TIMEOUT');
    else this.awaitClient();
  }
}

/** HTTP/2's trailers as the library wants them. Names come in lower case. */
function groupByName(flat: readonly string[]): OutgoingHttpHeaders {
  const grouped: Record<string, string[]> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] as string).toLowerCase();
    if (CONNECTION_HEADERS.has(name) || name.startsWith(':')) continue;
    grouped[name] = [...(grouped[name] ?? []), flat[at + 1] as string];
  }
  return grouped;
}

/** The library refuses to repeat headers that have one value by definition, which an upstream may have repeated. */
function keepFirstOfEach(lines: readonly string[]): string[] {
  const kept: string[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at] as string;
    if (seen.has(name) && !REPEATABLE.has(name)) continue;
    seen.add(name);
    kept.push(name, lines[at + 1] as string);
  }
  return kept;
}
