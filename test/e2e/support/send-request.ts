/** One request as bare as Node's own client sends it: the target untouched, the answer's header lines in order. */
import { type Agent, type IncomingMessage, request } from 'node:http';

export interface RequestOptions {
  readonly method?: string;
  /** Sent as it is: no normalisation. Default `/`. */
  readonly path?: string;
  /** An array sends the header several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent with a Content-Length; an array is sent in chunks, one a turn of the event loop. */
  readonly body?: string | Buffer | readonly string[];
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface SentAnswer {
  readonly status: number;
  /** Lines in order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Value of the first line of this lower-case name. */
  header(name: string): string | undefined;
  headerLines(name: string): readonly string[];
  readonly text: string;
  /** The body as JSON. */
  json<Value>(): Value;
}

/** Rejects when the connection is cut before the answer is complete. */
export async function sendRequest(port: number, options: RequestOptions = {}): Promise<SentAnswer> {
  const response = await openAnswer(port, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return describeAnswer(response, Buffer.concat(chunks));
}

/** Resolves with the head; the body is for the caller to read. */
export function openAnswer(port: number, options: RequestOptions = {}): Promise<IncomingMessage> {
  const { method = 'GET', path = '/', headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: headers as Record<string, string | string[]>,
      agent: agent ?? false,
    });
    sent.once('response', resolve);
    sent.once('error', reject);
    if (Array.isArray(body)) void writeInTurns(sent, body);
    else if (body === undefined) sent.end();
    else sent.setHeader('Content-Length', Buffer.byteLength(body as string)).end(body);
  });
}

async function writeInTurns(sent: ReturnType<typeof request>, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    sent.write(part);
    await new Promise((next) => setTimeout(next, 2));
  }
  sent.end();
}

function describeAnswer(response: IncomingMessage, body: Buffer): SentAnswer {
  const headers: [string, string][] = [];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    headers.push([(response.rawHeaders[at] ?? '').toLowerCase(), response.rawHeaders[at + 1] ?? '']);
  }
  const headerLines = (name: string) => headers.filter(([known]) => known === name).map(([, value]) => value);
  return {
    status: response.statusCode ?? 0,
    headers,
    body,
    headerLines,
    header: (name) => headerLines(name)[0],
    get text() {
      return body.toString('utf8');
    },
    json: <Value>() => JSON.parse(body.toString('utf8')) as Value,
  };
}
