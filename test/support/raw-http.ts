/** Bytes to a TCP port and back, and what they say as HTTP/1.1: for tests of framing that no client would send. */
import { connect } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Header lines in order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without the framing of chunks. */
  readonly body: string;
  /** False when the bytes ended before the framing said so. */
  readonly isComplete: boolean;
}

export interface RawExchange {
  /** All bytes received, one character a byte. */
  readonly received: string;
  /** True when the other side closed the connection, false when the wait ended first. */
  readonly hasClosed: boolean;
}

export interface RawOptions {
  /** How long the other side may be silent before it counts as waiting for more. */
  readonly quietMs?: number;
  /** Methods of the requests sent, in order, so that answers to HEAD are read without a body. */
  readonly methods?: readonly string[];
}

const QUIET_MS = 1_000;

/** Sends the parts one by one, each as a packet of its own, and reads until the other side closes or falls silent. */
export function exchangeBytes(
  port: number,
  parts: string | readonly string[],
  options: RawOptions = {},
): Promise<RawExchange> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const finish = (hasClosed: boolean) => {
      socket.destroy();
      resolve({ received: Buffer.concat(chunks).toString('latin1'), hasClosed });
    };
    socket.setTimeout(options.quietMs ?? QUIET_MS, () => finish(false));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => finish(true));
    // A reset is one way of closing; a refused connection is a mistake of the test.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
      else finish(true);
    });
    socket.on('connect', async () => {
      for (const part of typeof parts === 'string' ? [parts] : parts) {
        if (socket.destroyed) return;
        socket.write(Buffer.from(part, 'latin1'));
        await new Promise((next) => setTimeout(next, 5));
      }
    });
  });
}

/** As `exchangeBytes`, read as a sequence of responses. */
export async function exchangeRaw(
  port: number,
  parts: string | readonly string[],
  options: RawOptions = {},
): Promise<{ readonly responses: readonly RawResponse[]; readonly hasClosed: boolean }> {
  const { received, hasClosed } = await exchangeBytes(port, parts, options);
  return { responses: parseResponses(received, options.methods), hasClosed };
}

/** Reads responses one behind the other. Bytes that are no response end the list. */
export function parseResponses(received: string, methods: readonly string[] = []): readonly RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = received;
  let finals = 0;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, Math.max(headEnd, 0)).split('\r\n');
    const [, digits, reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
    if (headEnd === -1 || digits === undefined) return responses;
    const status = Number(digits);
    const headers = lines.map((line) => splitHeader(line));
    const hasNoBody = status < 200 || status === 204 || status === 304 || methods[finals] === 'HEAD';
    const afterHead = rest.slice(headEnd + 4);
    const body = hasNoBody ? { text: '', length: 0, isComplete: true } : readBody(afterHead, headers);
    responses.push({ status, reason, headers, body: body.text, isComplete: body.isComplete });
    if (status >= 200) finals++;
    rest = afterHead.slice(body.length);
  }
}

/** Value of the first header with this lower-case name. */
export function headerOf(response: RawResponse, name: string): string | undefined {
  return response.headers.find(([candidate]) => candidate === name)?.[1];
}

interface BodyPart {
  readonly text: string;
  /** Bytes taken, framing included. */
  readonly length: number;
  readonly isComplete: boolean;
}

function splitHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function readBody(bytes: string, headers: RawResponse['headers']): BodyPart {
  const valueOfHeader = (name: string) => headers.find(([candidate]) => candidate === name)?.[1];
  if (valueOfHeader('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(bytes);
  const length = valueOfHeader('content-length');
  if (length === undefined) return { text: bytes, length: bytes.length, isComplete: true };
  const text = bytes.slice(0, Number(length));
  return { text, length: text.length, isComplete: text.length === Number(length) };
}

function readChunks(bytes: string): BodyPart {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16);
    if (lineEnd === -1 || Number.isNaN(size)) return { text, length: bytes.length, isComplete: false };
    const start = lineEnd + 2;
    if (size === 0) {
      const trailerEnd = bytes.startsWith('\r\n', start) ? start : bytes.indexOf('\r\n\r\n', start) + 2;
      const isComplete = trailerEnd >= start && bytes.startsWith('\r\n', trailerEnd);
      return { text, length: isComplete ? trailerEnd + 2 : bytes.length, isComplete };
    }
    text += bytes.slice(start, start + size);
    at = start + size + 2;
    if (at > bytes.length) return { text, length: bytes.length, isComplete: false };
  }
}
