/** Sends one request through an upstream client and gathers what its events said. */
import type { GatewayError } from '../../../core/errors.ts';
import type { BodyReader, RequestBody } from '../../../core/http/request-body.ts';
import type { UpstreamClient } from '../../../core/upstream/forward.ts';
import type {
  ForwardEvents,
  ForwardExchange,
  ForwardRequest,
  ResponseHead,
  UpstreamAttempt,
  UpstreamOrigin,
} from '../../../core/upstream/forward-request.ts';

export interface Outcome {
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly error: GatewayError | undefined;
  readonly attempts: readonly UpstreamAttempt[];
}

export function originAt(port: number, changes: Partial<UpstreamOrigin> = {}): UpstreamOrigin {
  const origin = {
    protocol: 'http' as const,
    host: '127.0.0.1',
    port,
    serverName: undefined,
    verifyCertificate: false,
    ...changes,
  };
  return { ...origin, key: Object.values(origin).join('|') };
}

/** A GET without retries, unless `changes` say otherwise. */
export function requestTo(port: number, changes: Partial<ForwardRequest> = {}): ForwardRequest {
  const method = changes.method ?? 'GET';
  return {
    origin: originAt(port),
    method,
    head: `${method} / HTTP/1.1\r\nHost: upstream.test\r\n\r\n`,
    body: undefined,
    chunkedBody: false,
    retries: 0,
    connectTimeoutMs: 10_000,
    writeTimeoutMs: 10_000,
    readTimeoutMs: 10_000,
    ...changes,
  };
}

/** The same request with a body, framed as the body says. */
export function uploadTo(
  port: number,
  body: RequestBody,
  changes: Partial<ForwardRequest> = {},
): ForwardRequest {
  const method = changes.method ?? 'PUT';
  const chunkedBody = body.declaredLength === undefined;
  const framing = chunkedBody ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.declaredLength}`;
  const head = `${method} / HTTP/1.1\r\nHost: upstream.test\r\n${framing}\r\n\r\n`;
  return requestTo(port, { method, head, body, chunkedBody, ...changes });
}

/** Resolves with the outcome; `started` hears of the exchange and `events` may replace what is done on an event. */
export function forwardOnce(
  client: UpstreamClient,
  request: ForwardRequest,
  events: Partial<ForwardEvents> = {},
  started: (exchange: ForwardExchange) => void = () => undefined,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let head: ResponseHead | undefined;
    const chunks: Buffer[] = [];
    const settle = (error: GatewayError | undefined): void =>
      resolve({ head, body: Buffer.concat(chunks).toString('latin1'), error, attempts: exchange.attempts });
    const exchange = client.forward(request, {
      onHead: (received) => {
        if (head !== undefined) throw new Error('a second head');
        head = received;
      },
      onChunk: (chunk) => {
        chunks.push(Buffer.from(chunk));
        return true;
      },
      onFlush: () => undefined,
      onEnd: () => settle(undefined),
      onError: settle,
      ...events,
    });
    started(exchange);
  });
}

/** A request body whose bytes a test hands out, or that is there as a whole. Its beginning can be dropped. */
export class TestBody implements RequestBody {
  readonly declaredLength: number | undefined;
  isComplete = false;
  canReplay = true;
  bytesReceived = 0;
  /** How often a reader asked to go on. */
  resumeCount = 0;
  readingCount = 0;
  isPaused = false;
  private readonly held: Uint8Array[] = [];
  private reader: BodyReader | undefined;

  constructor(declaredLength: number | undefined) {
    this.declaredLength = declaredLength;
  }

  static whole(text: string): TestBody {
    const body = new TestBody(text.length);
    body.push(text);
    body.finish();
    return body;
  }

  push(text: string | Uint8Array): void {
    const chunk = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    this.bytesReceived += chunk.length;
    this.held.push(chunk);
    if (this.reader !== undefined) this.isPaused = !this.reader.onChunk(chunk);
  }

  finish(): void {
    this.isComplete = true;
    this.reader?.onEnd();
  }

  startReading(reader: BodyReader): boolean {
    if (!this.canReplay) return false;
    this.readingCount++;
    this.reader = reader;
    for (const chunk of this.held) this.isPaused = !reader.onChunk(chunk);
    if (this.isComplete) reader.onEnd();
    return true;
  }

  resume(): void {
    this.resumeCount++;
    this.isPaused = false;
  }

  stopReading(): void {
    this.reader = undefined;
  }

  readWhole(): Promise<Uint8Array> {
    return Promise.resolve(Buffer.concat(this.held));
  }

  replace(bytes: Uint8Array): void {
    this.held.splice(0, this.held.length, bytes);
  }
}
