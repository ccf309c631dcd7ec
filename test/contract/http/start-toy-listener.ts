/** A listener with a handler given per path, and a record of what reached it: for tests with raw sockets. */
import { afterAll } from 'vitest';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import type { Ingress, StrictIngressOptions } from '../../../core/http/ingress.ts';
import { startIngress } from '../../../core/http/start-ingress.ts';

export interface ToyListener extends Ingress {
  /** Method and raw path of every request that reached the handler, in order. */
  readonly served: string[];
  /** Events of exchanges: 'aborted /path', 'drained /path'. */
  readonly events: string[];
  readonly exchanges: ClientExchange[];
}

/** What must hold for every ingress is tested with each of them. */
export const INGRESSES = ['fast', 'strict'] as const;

export type IngressName = (typeof INGRESSES)[number];

export type ToyHandler = (exchange: ClientExchange) => void;

const open: Ingress[] = [];
afterAll(() => {
  for (const listener of open.splice(0)) listener.close();
});

/** Paths without a handler of their own answer 200 with the text `hello` at once. */
export async function startToyListener(
  ingress: IngressName,
  handlers: Readonly<Record<string, ToyHandler>> = {},
  options: Partial<StrictIngressOptions> = {},
): Promise<ToyListener> {
  const served: string[] = [];
  const events: string[] = [];
  const exchanges: ClientExchange[] = [];
  const listener = await startIngress({
    isStrict: ingress === 'strict',
    address: '127.0.0.1',
    port: 0,
    handler: (exchange) => {
      served.push(`${exchange.method} ${exchange.rawPath}`);
      exchanges.push(exchange);
      exchange.events = {
        onAborted: () => events.push(`aborted ${exchange.rawPath}`),
        onDrain: () => events.push(`drained ${exchange.rawPath}`),
      };
      const handler = handlers[exchange.rawPath];
      if (handler === undefined) exchange.send(200, ['X-Toy', 'yes'], 'hello');
      else handler(exchange);
    },
    renderRefusal: (code) => ({
      status: REFUSAL_STATUS[code] ?? 400,
      headers: ['Content-Type', 'text/plain'],
      body: code,
    }),
    ...options,
  });
  open.push(listener);
  return Object.assign(listener, { served, events, exchanges });
}

const REFUSAL_STATUS: Readonly<Record<string, number>> = {
  GW_METHOD_NOT_ALLOWED: 405,
  GW_REQUEST_TIMEOUT: 408,
  GW_BODY_TOO_LARGE: 413,
  GW_URI_TOO_LONG: 414,
  GW_TRANSFER_ENCODING_UNKNOWN: 501,
};

/** Reads the whole body, then answers with it. */
export const echo: ToyHandler = (exchange) => {
  const body = exchange.body;
  if (body === undefined) exchange.send(200, [], '');
  else void body.readWhole(64 * 1024 * 1024).then((bytes) => exchange.send(200, [], bytes));
};

/** Answers with the body while it comes, in chunks. */
export const streamBack: ToyHandler = (exchange) => {
  exchange.writeHead(200, [], undefined, true);
  exchange.body?.startReading({
    onChunk: (chunk) => {
      exchange.write(chunk);
      return true;
    },
    onEnd: () => exchange.end(),
  });
};

/** A request with the given lines behind the request line; Host is added. */
export function request(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: toy', ...headers, '', body].join('\r\n');
}

/** Waits until `holds` does, and fails with `what` when that takes seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
