/**
 * One request and its answer on Node's own HTTP: what HTTP/1 and HTTP/2 have in common. Subclasses put the parts of an
 * answer on the wire; everything a caller could get wrong is caught before they are asked.
 */
import { isBodiless } from './answer-head.ts';
import type { ClientEvents, ClientExchange } from './client-exchange.ts';
import { countRequestBytes, type ExchangeSettings, type RequestHead } from './exchange-settings.ts';
import { type BodySource, HeldRequestBody } from './held-request-body.ts';

/** Where an answer stands. */
const AWAITED = 0;
const STREAMING = 1;
const OVER = 2;

/** How much a client may go on sending of a body that nobody reads any more, unless it has said how much will come. */
const MAX_DISCARDED_BYTES = 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** The parts of a connection that its requests share. */
export interface ClientConnection {
  readonly peerAddress: string;
  readonly sni: string | undefined;
}

export abstract class NodeExchange implements ClientExchange, BodySource {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string | undefined;
  readonly headers: readonly string[];
  readonly host: string | undefined;
  abstract readonly httpVersion: '1.0' | '1.1' | '2';
  readonly sni: string | undefined;
  readonly peerAddress: string;
  readonly receivedAtMs: number;
  readonly body: HeldRequestBody | undefined;
  isAborted = false;
  events: ClientEvents | undefined;

  protected readonly settings: ExchangeSettings;
  /** Nothing behind this request may be served. */
  protected isRefused: boolean;
  protected isReadingPaused = false;
  protected isBlocked = false;
  private state = AWAITED;
  /** Undefined for an answer whose end is not known beforehand. */
  private bodyLength: number | undefined;
  private bodyBytesGiven = 0;

  constructor(settings: ExchangeSettings, head: RequestHead, sni: string | undefined) {
    this.settings = settings;
    this.method = head.method;
    this.rawPath = head.rawPath;
    this.rawQuery = head.rawQuery;
    this.headers = head.headers;
    this.host = head.host;
    this.peerAddress = head.peerAddress;
    this.sni = sni;
    this.receivedAtMs = performance.timeOrigin + performance.now();
    this.isRefused = head.isRefused;
    const { bodyLength } = head;
    this.body =
      bodyLength === 0
        ? undefined
        : new HeldRequestBody(this, bodyLength < 0 ? undefined : bodyLength, settings.maxHeldBodyBytes);
  }

  get scheme(): 'http' | 'https' {
    return this.settings.scheme;
  }

  get localPort(): number {
    return this.settings.localPort;
  }

  /** Computed on demand. */
  get bytesReceived(): number {
    return countRequestBytes(this);
  }

  abstract get bytesSent(): number;

  /** The whole answer has been handed over, or there is nobody to answer. */
  get isOver(): boolean {
    return this.state === OVER;
  }

  send(status: number, headers: readonly string[], body: string | Uint8Array, closeConnection = false): void {
    if (this.state !== AWAITED) return;
    this.state = OVER;
    if (closeConnection) this.isRefused = true;
    const isBare = isBodiless(status);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const hasBody = !isBare && this.method !== 'HEAD';
    this.putWhole(status, headers, isBare ? undefined : bytes.length, hasBody ? bytes : NOTHING);
    this.body?.discard();
  }

  writeHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    hasBody: boolean,
  ): void {
    if (this.state !== AWAITED) return;
    const length = status >= 200 && status !== 204 ? bodyLength : undefined;
    if (!hasBody || length === 0) {
      this.state = OVER;
      this.putWhole(status, headers, length, NOTHING);
      this.body?.discard();
      return;
    }
    this.state = STREAMING;
    this.bodyLength = length;
    this.putHead(status, headers, length);
  }

  write(chunk: Uint8Array): boolean {
    if (this.state !== STREAMING) return false;
    if (chunk.length === 0) return !this.isBlocked;
    this.bodyBytesGiven += chunk.length;
    if (this.bodyLength !== undefined && this.bodyBytesGiven > this.bodyLength) {
      this.destroy();
      return false;
    }
    // The caller's bytes are only lent, and Node may keep what the socket does not take at once.
    if (!this.putChunk(Buffer.from(chunk))) this.isBlocked = true;
    if (this.bodyBytesGiven === this.bodyLength && !this.hasTrailers) this.finish(undefined);
    return !this.isBlocked;
  }

  end(trailers?: readonly string[]): void {
    if (this.state !== STREAMING) return;
    // Fewer bytes than announced: only a cut connection tells the client.
    if (this.bodyLength !== undefined && this.bodyBytesGiven < this.bodyLength) this.destroy();
    else this.finish(trailers);
  }

  abstract cork(run: () => void): void;

  destroy(): void {
    if (this.state === OVER) return;
    this.state = OVER;
    this.isAborted = true;
    this.cut();
  }

  pauseReading(): void {
    if (this.isReadingPaused) return;
    this.isReadingPaused = true;
    this.pauseSource();
  }

  resumeReading(): void {
    if (!this.isReadingPaused) return;
    this.isReadingPaused = false;
    this.resumeSource();
  }

  /** Next bytes of the request body, which are the exchange's to keep. */
  acceptBody(chunk: Uint8Array): void {
    const body = this.body;
    if (body === undefined) return;
    if (body.isDiscarding) {
      body.skip(chunk.length, false);
      const isEndless = this.isRefused || body.declaredLength === undefined;
      if (isEndless && body.bytesDiscarded > MAX_DISCARDED_BYTES) this.cut();
    } else if (body.bytesReceived + chunk.length > this.settings.maxBodyBytes) {
      body.skip(chunk.length, false);
      this.giveUp('GW_BODY_TOO_LARGE');
    } else body.accept(chunk, false);
  }

  endBody(): void {
    const body = this.body;
    if (body === undefined || body.isComplete) return;
    if (body.isDiscarding) body.skip(0, true);
    else body.accept(NOTHING, true);
  }

  /** The client has gone. */
  handleAbort(): void {
    if (this.state === OVER) return;
    this.state = OVER;
    this.isAborted = true;
    this.events?.onAborted();
  }

  /** Nothing sensible can follow from this client: it is told so, if it still can be, and the gateway that it has gone. */
  giveUp(code: Parameters<ExchangeSettings['refuse']>[0]): void {
    const events = this.events;
    this.events = undefined;
    this.isRefused = true;
    if (this.state === AWAITED) this.settings.refuse(code, this);
    else this.destroy();
    this.isAborted = true;
    events?.onAborted();
  }

  protected handleDrain(): void {
    this.isBlocked = false;
    if (this.state === STREAMING) this.events?.onDrain();
  }

  /** Whether something may follow the last byte of a body. */
  protected get hasTrailers(): boolean {
    return false;
  }

  /** An answer whose parts are all at hand. */
  protected abstract putWhole(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    body: Uint8Array,
  ): void;
  protected abstract putHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
  ): void;
  /** False: no more before `handleDrain`. */
  protected abstract putChunk(chunk: Uint8Array): boolean;
  protected abstract putEnd(trailers: readonly string[] | undefined): void;
  protected abstract pauseSource(): void;
  protected abstract resumeSource(): void;
  /** Ends it at once, in the middle of whatever it is. */
  protected abstract cut(): void;

  private finish(trailers: readonly string[] | undefined): void {
    this.state = OVER;
    this.putEnd(trailers);
    this.body?.discard();
  }
}
