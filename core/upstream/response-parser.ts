/**
 * Strict incremental HTTP/1.1 response parser: bytes in, head and body chunks out, no I/O. One instance serves one
 * connection, response after response. It never throws on input and keeps at most one incomplete head in memory.
 */
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { ResponseHead } from './forward-request.ts';
import { ParsedHead, parseResponseHead } from './response-head.ts';

/** Bytes of one head at most, status line and empty line included. */
export const MAX_HEAD_BYTES = 32_768;
/** Interim (1xx) responses before the real one at most: more is a flood. */
export const MAX_INTERIM_RESPONSES = 16;

/** A head in one read is found with one native search in at most this much text; longer ones are collected. */
const FAST_HEAD_BYTES = 2048;
const FIRST_COLLECT_BYTES = 4096;
const PROTOCOL_PREFIX = Buffer.from('HTTP/1.', 'latin1');
const CR = 13;
const LF = 10;

const AT_HEAD = 0;
const AT_LENGTH_BODY = 1;
const AT_CHUNKED_BODY = 2;
const AT_BODY_UNTIL_CLOSE = 3;
const AT_COMPLETE = 4;
const AT_MALFORMED = 5;
const AT_STOP = 6;

/** Hears what was parsed, synchronously inside `feed`. May call `stop` on the parser. */
export interface ResponseListener {
  onResponseHead(head: ResponseHead): void;
  /** A view of the fed buffer. */
  onResponseChunk(chunk: Uint8Array): void;
}

/** 'stopped': the listener called `stop` meanwhile. */
export type FeedResult = 'more' | 'complete' | 'malformed' | 'stopped';

export class ResponseParser {
  /** Once complete: whether the connection may carry another request as far as the response goes. */
  canReuse = false;
  /** Once a head was read: seconds the upstream says it keeps an idle connection; -1 when it does not say. */
  keepAliveSeconds = -1;
  malformedReason = '';

  private readonly listener: ResponseListener;
  private readonly head = new ParsedHead();
  private readonly chunks = new ChunkedDecoder();
  private state = AT_COMPLETE;
  private isHeadRequest = false;
  private mayUpgrade = false;
  private interimCount = 0;
  private remaining = 0;
  private collected: Buffer | undefined;
  private collectedLength = 0;
  /** How many bytes of CR LF CR LF the collected head ends with. */
  private terminatorLength = 0;

  constructor(listener: ResponseListener) {
    this.listener = listener;
  }

  /**
   * Gets ready for the response to one request. `isHeadRequest`: a HEAD was sent, so no body follows the head.
   * `mayUpgrade`: a WebSocket was asked for; with a 101 everything that follows is its bytes, until the close.
   */
  begin(isHeadRequest: boolean, mayUpgrade = false): void {
    this.state = AT_HEAD;
    this.isHeadRequest = isHeadRequest;
    this.mayUpgrade = mayUpgrade;
    this.interimCount = 0;
    this.canReuse = false;
    this.forgetCollected();
  }

  /** Says nothing to the listener any more. */
  stop(): void {
    this.state = AT_STOP;
    this.forgetCollected();
  }

  /** Parses `bytes[start, end)`. After anything but 'more' it must not be called again before `begin`. */
  feed(bytes: Buffer, start: number, end: number): FeedResult {
    let at = start;
    while (this.state === AT_HEAD && at < end) {
      at = this.feedHead(bytes, at, end);
      if (at < 0) return 'malformed';
    }
    switch (this.state) {
      case AT_LENGTH_BODY:
        return this.feedLengthBody(bytes, at, end);
      case AT_CHUNKED_BODY:
        return this.feedChunkedBody(bytes, at, end);
      case AT_BODY_UNTIL_CLOSE:
        if (at < end) this.listener.onResponseChunk(bytes.subarray(at, end));
        return this.isStopped() ? 'stopped' : 'more';
      case AT_COMPLETE:
        return 'complete';
      case AT_STOP:
        return 'stopped';
      default:
        return 'more';
    }
  }

  /** The upstream sent its last byte. True when that ends the response well: its body was delimited by the close. */
  finish(): boolean {
    if (this.state !== AT_BODY_UNTIL_CLOSE) return false;
    this.state = AT_COMPLETE;
    return true;
  }

  /** Returns the offset behind what it used up, or -1 when malformed. */
  private feedHead(bytes: Buffer, start: number, end: number): number {
    if (this.collectedLength === 0) {
      const text = bytes.toString('latin1', start, Math.min(end, start + FAST_HEAD_BYTES));
      const found = text.indexOf('\r\n\r\n');
      if (found >= 0) return this.takeHead(bytes, start, start + found + 4, text, end);
    }
    return this.collectHead(bytes, start, end);
  }

  /** The slow way, for heads that are long or come in pieces. */
  private collectHead(bytes: Buffer, start: number, end: number): number {
    let matched = this.terminatorLength;
    let at = start;
    while (at < end && matched < 4) {
      const byte = bytes[at++]!;
      if (matched === 1 || matched === 3) {
        if (byte !== LF) return this.fail('CR without LF in the head');
        matched++;
      } else if (byte === CR) matched++;
      else if (byte === LF) return this.fail('LF without CR in the head');
      else matched = 0;
    }
    this.terminatorLength = matched;
    if (!this.keepPiece(bytes, start, at)) return this.fail('head too large');
    const head = this.collected!;
    const known = Math.min(this.collectedLength, PROTOCOL_PREFIX.length);
    if (head.compare(PROTOCOL_PREFIX, 0, known, 0, known) !== 0) return this.fail('not HTTP/1');
    if (matched < 4) return at;

    const length = this.collectedLength;
    this.forgetCollected();
    const used = this.takeHead(head, 0, length, head.toString('latin1', 0, length), length + (end - at));
    return used < 0 ? -1 : at;
  }

  /** False when the head gets too long. */
  private keepPiece(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.collectedLength + end - start;
    if (needed > MAX_HEAD_BYTES) return false;
    if (this.collected === undefined || this.collected.length < needed) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_HEAD_BYTES, Math.max(FIRST_COLLECT_BYTES, 2 * needed)));
      this.collected?.copy(larger, 0, 0, this.collectedLength);
      this.collected = larger;
    }
    bytes.copy(this.collected, this.collectedLength, start, end);
    this.collectedLength = needed;
    return true;
  }

  private forgetCollected(): void {
    this.collected = undefined;
    this.collectedLength = 0;
    this.terminatorLength = 0;
  }

  /** `end - headEnd` bytes have been received behind the head. */
  private takeHead(bytes: Buffer, start: number, headEnd: number, text: string, end: number): number {
    const head = this.head;
    const reason = parseResponseHead(bytes, start, headEnd, text, head);
    if (reason !== '') return this.fail(reason);
    if (head.status < 200) return this.takeInterimHead(headEnd);

    const hasBody = !this.isHeadRequest && head.status !== 204 && head.status !== 304;
    const bodyLength = head.contentLength < 0 ? undefined : head.contentLength;
    const expected = hasBody ? bodyLength : 0;
    // Bytes behind a complete response are somebody else's words (a split response, a lying length). While nothing
    // of the answer is out they make it a bad one; later they only cost the connection (`feedLengthBody`).
    if (expected !== undefined && (!hasBody || !head.isChunked) && end - headEnd > expected) {
      return this.fail('surplus bytes behind the response');
    }
    // A 204 that announces a body may yet send it.
    this.canReuse = head.keepAlive && !(head.status === 204 && (head.isChunked || head.contentLength > 0));
    this.keepAliveSeconds = head.keepAliveSeconds;
    this.enterBody(hasBody);
    this.listener.onResponseHead({ status: head.status, headers: head.headers, bodyLength, hasBody });
    return headEnd;
  }

  private enterBody(hasBody: boolean): void {
    const head = this.head;
    if (!hasBody || head.contentLength === 0) {
      this.state = AT_COMPLETE;
    } else if (head.isChunked) {
      this.state = AT_CHUNKED_BODY;
      this.chunks.reset();
    } else if (head.contentLength > 0) {
      this.state = AT_LENGTH_BODY;
      this.remaining = head.contentLength;
    } else {
      this.state = AT_BODY_UNTIL_CLOSE;
      this.canReuse = false;
    }
  }

  private takeInterimHead(headEnd: number): number {
    const head = this.head;
    if (head.isChunked || head.contentLength > 0) return this.fail('interim response with a body');
    // Nobody may switch protocols on us unless we have asked.
    if (head.status === 101 && this.mayUpgrade) return this.takeUpgrade(headEnd);
    if (head.status === 101) return this.fail('101 without an upgrade');
    if (++this.interimCount > MAX_INTERIM_RESPONSES) return this.fail('too many interim responses');
    return headEnd;
  }

  private takeUpgrade(headEnd: number): number {
    const { status, headers } = this.head;
    if (!namesWebSocket(headers)) return this.fail('101 for something else than a WebSocket');
    this.state = AT_BODY_UNTIL_CLOSE;
    this.canReuse = false;
    this.listener.onResponseHead({ status, headers, bodyLength: undefined, hasBody: true });
    return headEnd;
  }

  private feedLengthBody(bytes: Buffer, start: number, end: number): FeedResult {
    if (start === end) return 'more';
    const taken = Math.min(this.remaining, end - start);
    this.remaining -= taken;
    if (this.remaining === 0) this.state = AT_COMPLETE;
    if (start + taken < end) this.canReuse = false;
    this.listener.onResponseChunk(bytes.subarray(start, start + taken));
    if (this.isStopped()) return 'stopped';
    return this.remaining === 0 ? 'complete' : 'more';
  }

  private feedChunkedBody(bytes: Buffer, start: number, end: number): FeedResult {
    const chunks = this.chunks;
    let at = start;
    for (;;) {
      const step = chunks.advance(bytes, at, end);
      at = chunks.position;
      if (step === 'data') {
        this.listener.onResponseChunk(bytes.subarray(chunks.dataStart, at));
        if (this.isStopped()) return 'stopped';
      } else if (step === 'more') {
        return 'more';
      } else if (step === 'complete') {
        this.state = AT_COMPLETE;
        if (at < end) this.canReuse = false;
        return 'complete';
      } else {
        this.fail(chunks.malformedReason);
        return 'malformed';
      }
    }
  }

  /** A method, so that the compiler does not believe it still knows `state` after a listener ran. */
  private isStopped(): boolean {
    return this.state === AT_STOP;
  }

  private fail(reason: string): -1 {
    this.state = AT_MALFORMED;
    this.malformedReason = reason;
    this.canReuse = false;
    this.forgetCollected();
    return -1;
  }
}

function namesWebSocket(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() === 'upgrade')
      return (headers[at + 1] as string).toLowerCase() === 'websocket';
  }
  return false;
}
