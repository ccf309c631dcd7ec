/**
 * One request and its answer on uWebSockets.js. Everything readable is copied at construction. The library's
 * response object is let go the moment it may no longer be touched (answer complete, client gone, destroyed).
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { ErrorCode } from '../errors.ts';
import { CLOSE_LINE, countHead, encodeHead, isBodiless, joinHead, UNMEASURED } from './answer-head.ts';
import type { ClientEvents, ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { countRequestBytes, type ExchangeSettings, type RequestHead } from './exchange-settings.ts';
import { HeldRequestBody } from './held-request-body.ts';
import { countUnendedAnswer, joinBareAnswer, joinWholeAnswer, LAST_CHUNK } from './unended-answer.ts';

/** Where an answer stands. Numbers, because this is looked at in every call. */
const AWAITED = 0;
const STREAMING = 1;
const ENDING = 2;
const OVER = 3;

/** How much and how long a client may go on sending behind an answer that closes its connection. */
const MAX_DISCARDED_BYTES = 1024 * 1024;
const MAX_LINGER_MS = 5000;

/** More than the library gathers before it writes, so that each piece tells whether the socket is full. */
const PIECE_BYTES = 65_536;
/** Well below every timeout one would configure, and rare enough to cost nothing. */
const RENEWAL_INTERVAL_MS = 2000;

/** The exchange whose socket gathers its writes into one system call at this moment. */
let corked: UwsExchange | undefined;
/** The exchange `putCorked` writes for: lets one function serve all instead of a closure each. */
let putting: UwsExchange | undefined;

export class UwsExchange implements ClientExchange {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string | undefined;
  readonly headers: readonly string[];
  readonly host: string | undefined;
  readonly httpVersion = '1.1';
  readonly peerAddress: string;
  readonly receivedAtMs: number;
  readonly body: HeldRequestBody | undefined;
  isAborted = false;
  bytesSent = 0;
  events: ClientEvents | undefined;

  private readonly settings: ExchangeSettings;
  private res: HttpResponse | undefined;
  /**
   * Nothing behind this request may ever be parsed: its framing is doubtful, or its body came in chunks, which
   * the library reads loosely. To the library the answer stays incomplete, since then it closes a connection on
   * which a second request follows; we close it once the answer is out.
   */
  private isAlone: boolean;
  private isReadingPaused = false;
  private nextRenewalMs = 0;
  private silenceTimer: NodeJS.Timeout | undefined;
  private state = AWAITED;
  private closes = false;

  private head = '';
  private isHeadOut = false;
  /** What goes out next, or what the socket would not take yet. */
  private pending: string | Uint8Array | undefined;
  /** False for answers that end with their head. */
  private hasBody = true;
  /** Content-Length, or UNMEASURED. */
  private bodyLength = UNMEASURED;
  /** Body bytes the gateway has handed over, and those of them the library has taken. */
  private bodyBytesGiven = 0;
  private bodyBytesTaken = 0;
  private isBlocked = false;
  private hasDrainListener = false;

  constructor(res: HttpResponse, settings: ExchangeSettings, head: RequestHead) {
    this.res = res;
    this.settings = settings;
    this.method = head.method;
    this.rawPath = head.rawPath;
    this.rawQuery = head.rawQuery;
    this.headers = head.headers;
    this.host = head.host;
    this.peerAddress = head.peerAddress;
    this.receivedAtMs = performance.timeOrigin + performance.now();
    this.isAlone = head.isRefused || head.bodyLength < 0;
    this.body =
      head.bodyLength === 0
        ? undefined
        : new HeldRequestBody(
            this,
            head.bodyLength < 0 ? undefined : head.bodyLength,
            settings.maxHeldBodyBytes,
          );
  }

  get scheme(): 'http' | 'https' {
    return this.settings.scheme;
  }

  get localPort(): number {
    return this.settings.localPort;
  }

  /** Not told by the library, which therefore has no TLS ports. */
  get sni(): undefined {
    return undefined;
  }

  /** Computed on demand. */
  get bytesReceived(): number {
    return countRequestBytes(this);
  }

  /** Whether the native response is out of our hands, so that nobody needs to hear about an abort. */
  get isOver(): boolean {
    return this.res === undefined;
  }

  send(status: number, headers: readonly string[], body: string | Uint8Array, closeConnection = false): void {
    if (this.res === undefined || this.state !== AWAITED) return;
    const isBare = isBodiless(status);
    // Otherwise the library would still read, and serve, a request that has arrived behind this one.
    if (closeConnection) this.isAlone = true;
    this.closes = this.isAlone || this.settings.isDraining();
    this.head = joinHead(status, headers);
    this.hasBody = !isBare && this.method !== 'HEAD';
    if (!isBare) this.bodyLength = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.pending = body;
    if (this.isAlone && this.hasBody && this.bodyLength > 0) {
      this.pending = Buffer.from(body as string);
      this.bodyLength = UNMEASURED;
    }
    this.complete();
  }

  writeHead(
    status: number,
    headers: readonly string[],
    bodyLength: number | undefined,
    hasBody: boolean,
  ): void {
    if (this.res === undefined || this.state !== AWAITED) return;
    this.closes = this.isAlone || this.settings.isDraining();
    this.head = joinHead(status, headers);
    this.hasBody = hasBody;
    if (bodyLength !== undefined && status >= 200 && status !== 204) this.bodyLength = bodyLength;
    if (!hasBody || bodyLength === 0) {
      this.pending = '';
      this.complete();
      return;
    }
    // In chunks whatever the length: the library would call a measured answer complete by itself.
    if (this.isAlone) this.bodyLength = UNMEASURED;
    this.state = STREAMING;
  }

  write(chunk: Uint8Array): boolean {
    if (this.res === undefined || this.state !== STREAMING) return false;
    if (chunk.length === 0) return !this.isBlocked;
    this.bodyBytesGiven += chunk.length;
    if (this.bodyLength !== UNMEASURED && this.bodyBytesGiven >= this.bodyLength) {
      this.writeLast(chunk);
      return !this.isBlocked;
    }
    if (this.isBlocked && this.pending !== undefined) {
      this.pending = Buffer.concat([this.pending as Uint8Array, chunk]);
      return false;
    }
    this.pending = chunk;
    this.put();
    return !this.isBlocked;
  }

  end(): void {
    if (this.res === undefined || this.state !== STREAMING) return;
    // Fewer bytes than announced: only a cut connection tells the client.
    if (this.bodyLength !== UNMEASURED) this.destroy();
    else this.complete();
  }

  cork(run: () => void): void {
    if (this.res === undefined || corked === this) {
      run();
      return;
    }
    const outer = corked;
    corked = this;
    try {
      this.res.cork(run);
    } finally {
      corked = outer;
    }
  }

  destroy(): void {
    const res = this.res;
    if (res === undefined) return;
    this.letGo();
    this.isAborted = true;
    res.close();
  }

  pauseReading(): void {
    if (this.res === undefined || this.isReadingPaused) return;
    this.isReadingPaused = true;
    this.res.pause();
  }

  resumeReading(): void {
    if (this.res === undefined || !this.isReadingPaused) return;
    this.isReadingPaused = false;
    this.res.resume();
  }

  /** The listener calls the gateway through this: writes made meanwhile share the parser's own system call. */
  runHandler(handler: ExchangeHandler): void {
    const outer = corked;
    corked = this;
    try {
      handler(this);
    } finally {
      corked = outer;
    }
  }

  /** Next bytes of the request body; the library takes the memory back when this returns. */
  acceptBody(bytes: ArrayBuffer, isLast: boolean): void {
    const body = this.body;
    if (body === undefined) return;
    if (isLast) clearTimeout(this.silenceTimer);
    else this.silenceTimer?.refresh();
    const outer = corked;
    corked = this;
    try {
      if (body.isDiscarding) body.skip(bytes.byteLength, isLast);
      else if (body.bytesReceived + bytes.byteLength > this.settings.maxBodyBytes) {
        this.giveUp('GW_BODY_TOO_LARGE');
        body.skip(bytes.byteLength, isLast);
      } else body.accept(Buffer.from(bytes.slice(0)), isLast);
      if (!isLast && !body.isDiscarding) this.keepReadingAsAsked();
      if (this.state === OVER && this.isAlone) this.closeOnceRead();
    } finally {
      corked = outer;
    }
  }

  /** The library's word that the connection is gone. */
  handleAbort(): void {
    const wasAnswered = this.state === OVER;
    if (this.res === undefined) return;
    this.letGo();
    if (wasAnswered) return;
    this.isAborted = true;
    this.events?.onAborted();
  }

  /** The last bytes of a measured body: the library ends the answer with them by itself. */
  private writeLast(chunk: Uint8Array): void {
    if (this.bodyBytesGiven > this.bodyLength) {
      this.destroy();
      return;
    }
    const waiting = this.pending as Uint8Array | undefined;
    // Copied where it cannot go out at once, since the caller's buffer is only lent.
    if (waiting !== undefined) this.pending = Buffer.concat([waiting, chunk]);
    else this.pending = this.isBlocked ? Buffer.from(chunk) : chunk;
    this.complete();
  }

  /** Everything has been handed over: sends the rest and, where need be, closes the connection behind it. */
  private complete(): void {
    this.state = ENDING;
    if (!this.isHeadOut) {
      const isEmpty = this.pending === undefined || this.pending.length === 0;
      if (this.hasBody && isEmpty) this.bodyLength = 0;
      this.bytesSent = countHead(this.head, this.closes, this.hasBody, this.bodyLength);
      if (this.hasBody) this.bytesSent += Math.max(this.bodyLength, 0);
    }
    if (this.isBlocked && (this.isAlone || this.bodyLength !== UNMEASURED)) return;
    this.body?.discard();
    this.put();
  }

  /**
   * Closes the connection behind an answer, but for a while not if the client is still sending its body: it would
   * be reset, and might never see the answer.
   */
  private closeOnceRead(): void {
    const body = this.body;
    if (body !== undefined && !body.isComplete && body.bytesDiscarded < MAX_DISCARDED_BYTES) return;
    setImmediate(UwsExchange.closeLater, this);
  }

  /** The rest of a body is awaited from now on; a client that falls silent in the middle of it is told so. */
  awaitBody(timeoutMs: number): void {
    if (this.body?.isComplete !== false) return;
    this.silenceTimer = setTimeout(UwsExchange.onSilence, timeoutMs, this).unref();
  }

  private handleSilence(): void {
    const body = this.body;
    if (this.res === undefined || body === undefined || body.isComplete || body.isDiscarding) return;
    // Whoever reads the body is slow, not the client.
    if (this.isReadingPaused) this.silenceTimer?.refresh();
    else this.giveUp('GW_REQUEST_TIMEOUT');
  }

  /** Nothing sensible can follow from this client: it is told so, if it still can be, and the gateway that it has gone. */
  private giveUp(code: ErrorCode): void {
    const events = this.events;
    this.events = undefined;
    this.isAlone = true;
    if (this.state === AWAITED) this.settings.refuse(code, this);
    else this.destroy();
    this.isAborted = true;
    events?.onAborted();
  }

  /** The library prolongs its timer only for fast uploads; pausing and resuming starts it anew for any. */
  private keepReadingAsAsked(): void {
    if (this.res === undefined) return;
    if (this.isReadingPaused) {
      // A write that the socket did not take whole has made the library read again, and it may write once more
      // when it is done with these bytes: only behind that does a pause last.
      setImmediate(UwsExchange.pauseLater, this);
      return;
    }
    const nowMs = performance.now();
    if (nowMs < this.nextRenewalMs) return;
    this.nextRenewalMs = nowMs + RENEWAL_INTERVAL_MS;
    this.res.pause();
    this.res.resume();
  }

  private put(): void {
    const res = this.res;
    if (res === undefined) return;
    if (corked === this) {
      this.putNow(res);
      return;
    }
    const outerCorked = corked;
    const outerPutting = putting;
    corked = this;
    putting = this;
    try {
      res.cork(UwsExchange.putCorked);
    } finally {
      corked = outerCorked;
      putting = outerPutting;
    }
  }

  private putNow(res: HttpResponse): void {
    if (this.isAlone && this.state === ENDING) this.putAlone(res);
    else if (!this.isHeadOut && this.state === ENDING) this.putWhole(res);
    else if (this.bodyLength === UNMEASURED) this.putChunk(res);
    else this.putMeasured(res, this.bodyLength);
  }

  /** An answer whose head and body are both at hand. */
  private putWhole(res: HttpResponse): void {
    const body = this.pending ?? '';
    const length = this.bodyLength;
    const { hasBody, closes } = this;
    const isBare = !hasBody && length === UNMEASURED;
    // The library can end a bare answer, but neither announce that it closes nor do it.
    res.writeStatus(encodeHead(isBare && closes ? this.head + CLOSE_LINE : this.head));
    this.letGo();
    if (hasBody) res.end(body, closes);
    else if (isBare) res.endWithoutBody();
    else res.endWithoutBody(length, closes);
  }

  /** The rest of an answer behind which the connection is closed. What the socket does not take comes later. */
  private putAlone(res: HttpResponse): void {
    const rest = this.pending as Uint8Array | undefined;
    const hasRest = this.hasBody && rest !== undefined && rest.length > 0;
    if (!this.isHeadOut && (!hasRest || rest.length <= PIECE_BYTES)) {
      this.putWholeAlone(res, hasRest ? rest : undefined);
    } else {
      if (!this.putPieces(res, rest)) return;
      res.writeHeader(LAST_CHUNK.name, LAST_CHUNK.value);
      this.bytesSent += LAST_CHUNK.byteCount;
    }
    this.state = OVER;
    this.closeOnceRead();
    if (this.body?.isComplete === false) setTimeout(UwsExchange.closeLater, MAX_LINGER_MS, this).unref();
  }

  /** Whether all of it is out. */
  private putPieces(res: HttpResponse, bytes: Uint8Array | undefined): boolean {
    let rest = bytes;
    while (rest !== undefined && rest.length > 0 && !this.isBlocked) {
      this.pending = rest.subarray(0, PIECE_BYTES);
      rest = rest.subarray(PIECE_BYTES);
      this.putChunk(res);
    }
    this.pending = rest;
    return !this.isBlocked;
  }

  private putWholeAlone(res: HttpResponse, body: Uint8Array | undefined): void {
    const bytes =
      body === undefined ? joinBareAnswer(this.head, this.bodyLength) : joinWholeAnswer(this.head, body);
    res.writeStatus(bytes);
    this.bytesSent = countUnendedAnswer(bytes);
  }

  private putChunk(res: HttpResponse): void {
    const chunk = this.pending;
    this.pending = undefined;
    if (!this.isHeadOut) this.putHead(res);
    if (chunk !== undefined) {
      this.bytesSent += chunk.length + chunk.length.toString(16).length + 4;
      if (!res.write(chunk)) this.block(res);
    }
    if (this.state !== ENDING || this.isAlone) return;
    this.bytesSent += '\r\n0\r\n\r\n'.length;
    this.letGo();
    res.end();
  }

  private putMeasured(res: HttpResponse, total: number): void {
    const chunk = this.pending as Uint8Array;
    if (!this.isHeadOut) this.putHead(res);
    const [isTaken, isDone] = res.tryEnd(chunk, total);
    if (isDone) {
      this.bytesSent += total - this.bodyBytesTaken;
      this.letGo();
      return;
    }
    const takenBefore = this.bodyBytesTaken;
    this.bodyBytesTaken = isTaken ? takenBefore + chunk.length : res.getWriteOffset();
    this.bytesSent += this.bodyBytesTaken - takenBefore;
    const left = chunk.subarray(this.bodyBytesTaken - takenBefore);
    this.pending = left.length === 0 ? undefined : Buffer.from(left);
    if (!isTaken) this.block(res);
  }

  private putHead(res: HttpResponse): void {
    res.writeStatus(encodeHead(this.closes ? this.head + CLOSE_LINE : this.head));
    this.isHeadOut = true;
    this.bytesSent = countHead(this.head, this.closes, true, this.bodyLength);
  }

  private block(res: HttpResponse): void {
    this.isBlocked = true;
    if (this.hasDrainListener) return;
    this.hasDrainListener = true;
    res.onWritable(() => this.handleWritable());
  }

  /** The socket takes bytes again. Tells the library whether it may go on as if nothing were left to write. */
  private handleWritable(): boolean {
    if (this.res === undefined) return true;
    this.isBlocked = false;
    if (this.state === ENDING) {
      this.complete();
    } else {
      if (this.pending !== undefined) this.put();
      if (!this.isBlocked) this.events?.onDrain();
    }
    return !this.isBlocked;
  }

  /** The native response, which is somebody else's from now on. */
  protected takeResponse(): HttpResponse | undefined {
    const res = this.res;
    if (this.state !== AWAITED) return undefined;
    this.letGo();
    return res;
  }

  /** From here on the native response is dead to us. */
  private letGo(): void {
    clearTimeout(this.silenceTimer);
    this.res = undefined;
    this.state = OVER;
    this.pending = undefined;
  }

  private static readonly putCorked = (): void => {
    const exchange = putting;
    if (exchange?.res !== undefined) exchange.putNow(exchange.res);
  };

  private static readonly onSilence = (exchange: UwsExchange): void => exchange.handleSilence();

  private static readonly pauseLater = (exchange: UwsExchange): void => {
    if (exchange.isReadingPaused) exchange.res?.pause();
  };

  private static readonly closeLater = (exchange: UwsExchange): void => {
    const res = exchange.res;
    exchange.letGo();
    res?.close();
  };
}
