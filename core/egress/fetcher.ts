/**
 * Sends requests of plugins: to listed origins only, at every redirect again; over connections whose address was looked
 * at when it was resolved, so that a name cannot change what it stands for in between; within time and size.
 */
import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import type { FetchArgument, FetchReply } from '../../sdk/protocol/fetch.ts';
import { compileEgress, type EgressRules } from './egress-rules.ts';

/** `egress`: the entries of a package's manifest, always the same object for the same package. */
export type Fetcher = (argument: FetchArgument, egress: readonly string[]) => Promise<FetchReply>;

const MAX_REDIRECTS = 5;
const MAX_BODY_BYTES = 1024 * 1024;
/** Requests of one package under way. */
const MAX_CONCURRENT = 64;
const CONNECTIONS_PER_ORIGIN = 32;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Not for another origin to see. */
const PERSONAL_HEADERS = new Set(['authorization', 'cookie']);

/** What one package sends with. */
interface Client {
  readonly rules: EgressRules;
  readonly dispatcher: Dispatcher;
  underWay: number;
}

type Undici = typeof import('undici');

/** Nothing is loaded before a plugin asks for something. */
export function createFetcher(): Fetcher {
  const clients = new WeakMap<readonly string[], Client>();
  let loading: Promise<Undici> | undefined;
  return async (argument, egress) => {
    loading ??= import('undici');
    const undici = await loading;
    let client = clients.get(egress);
    if (client === undefined) {
      client = createClient(undici, compileEgress(egress));
      clients.set(egress, client);
    }
    if (client.underWay >= MAX_CONCURRENT) throw new Error('too many requests under way');
    client.underWay++;
    try {
      return await follow(undici, client, argument);
    } finally {
      client.underWay--;
    }
  };
}

function createClient({ Agent }: Undici, rules: EgressRules): Client {
  const dispatcher = new Agent({
    connect: { lookup: lookupWithin(rules) },
    connections: CONNECTIONS_PER_ORIGIN,
    pipelining: 1,
  });
  return { rules, dispatcher, underWay: 0 };
}

/** Names stand for what of them may be connected to. */
function lookupWithin(rules: EgressRules): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const reachable = addresses.filter(({ address }) => rules.mayConnect(address));
      const [first] = reachable;
      if (first === undefined) callback(new Error(`'${hostname}' stands for a private address`), '');
      else if (options.all === true) callback(null, reachable satisfies LookupAddress[]);
      else callback(null, first.address, first.family);
    });
  };
}

async function follow(undici: Undici, client: Client, argument: FetchArgument): Promise<FetchReply> {
  const signal = AbortSignal.timeout(argument.timeoutMs);
  let url = parseUrl(argument.url);
  let { method, headers, body } = argument;
  for (let redirects = 0; ; redirects++) {
    client.rules.check(url);
    const response = await ask(undici, client, url, { method, headers, body, signal }, argument.timeoutMs);
    const location = response.headers.get('location');
    if (!argument.followsRedirects || !REDIRECTS.has(response.status) || location === null) {
      return await read(response, url, argument.timeoutMs);
    }
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
    const next = parseUrl(location, url);
    if (next.origin !== url.origin) headers = withoutPersonal(headers);
    if (response.status === 303 || (response.status < 303 && method === 'POST')) {
      if (method !== 'HEAD') method = 'GET';
      body = null;
    }
    url = next;
  }
}

interface Message {
  readonly method: FetchArgument['method'];
  readonly headers: readonly string[];
  readonly body: string | null;
  readonly signal: AbortSignal;
}

type Answer = Awaited<ReturnType<Undici['fetch']>>;

async function ask(
  { fetch }: Undici,
  { dispatcher }: Client,
  url: URL,
  { method, headers, body, signal }: Message,
  timeoutMs: number,
): Promise<Answer> {
  const pairs: [string, string][] = [];
  for (let at = 0; at < headers.length; at += 2) {
    pairs.push([headers[at] as string, headers[at + 1] as string]);
  }
  try {
    return await fetch(url, {
      method,
      headers: pairs,
      body: body === null ? null : Buffer.from(body, 'latin1'),
      redirect: 'manual',
      dispatcher,
      signal,
    });
  } catch (error) {
    throw reasonOf(error, timeoutMs);
  }
}

async function read(response: Answer, url: URL, timeoutMs: number): Promise<FetchReply> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Counted as they are after decompression.
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw reasonOf(error, timeoutMs);
  }
  if (length > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
  return {
    status: response.status,
    url: url.href,
    headers: [...response.headers].flat(),
    body: Buffer.concat(chunks).toString('latin1'),
  };
}

/** Throws TypeError on what is no URL of a web server. */
function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new TypeError('url is no http or https URL');
  if (url.username !== '' || url.password !== '') throw new TypeError('url must not hold a user or password');
  return url;
}

function withoutPersonal(headers: readonly string[]): readonly string[] {
  return headers.filter((_, at) => !PERSONAL_HEADERS.has((headers[at - (at % 2)] as string).toLowerCase()));
}

/** The cause in words, without what only the gateway's log should hold. */
function reasonOf(error: unknown, timeoutMs: number): Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Error(`no answer within ${timeoutMs} ms`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new Error(`cannot be fetched: ${cause instanceof Error ? cause.message : String(cause)}`);
}
