/**
 * The head of the request sent upstream, as text: request line, the client's headers without what belongs to its
 * own connection, what plugins changed, and what the gateway says about itself and the client.
 * Source: contract/proxy.md sections 4 and 4.1.
 */
import type { ClientExchange } from '../http/client-exchange.ts';
import { findHeader } from './find-header.ts';
import { type HeaderOverrides, resolveOverrides } from './header-overrides.ts';
import { encodePath } from './upstream-path.ts';

export interface RequestHeadInput {
  readonly method: string;
  /** Encoded path, with the query. */
  readonly target: string;
  readonly exchange: Pick<
    ClientExchange,
    'headers' | 'host' | 'rawPath' | 'scheme' | 'httpVersion' | 'peerAddress' | 'localPort'
  >;
  /** The Host header to send, unless a plugin sets another. */
  readonly host: string;
  readonly clientAddress: string;
  /** The peer's own X-Forwarded-* count. */
  readonly isTrusted: boolean;
  /** What strip_path removed from the path (decoded); '' for nothing. */
  readonly strippedPrefix: string;
  /** Undefined: not sent. */
  readonly requestId: string | undefined;
  /** `tollgate/<version>` */
  readonly productToken: string;
  readonly overrides: HeaderOverrides | null;
  /** Undefined for a request without a body. */
  readonly framing: { readonly contentLength: number } | 'chunked' | undefined;
  /** The caller will relay `Upgrade: websocket`; otherwise no upgrade is passed on. */
  readonly relaysWebSocket?: boolean;
}

/** Headers the gateway writes itself or never passes on. Plugins may only change `host` of these. */
const OWNED = new Set([
  'host',
  'connection',
  'upgrade',
  'te',
  'keep-alive',
  'proxy-connection',
  'proxy',
  'expect',
  'transfer-encoding',
  'content-length',
  'via',
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
]);
const REQUEST_ID = 'x-kong-request-id';

/** What auth plugins tell upstreams, and nobody else may. Some upstreams read `_` as `-`. Decision 0026. */
const IDENTITY =
  /^x[-_](?:consumer[-_].*|credential[-_]identifier|anonymous[-_]consumer|authenticated[-_]groups)$/;

const ORDINARY_NAME = /^[a-z0-9_-]+$/;
const BEYOND_LATIN1 = /[^\x00-\xff]/;

/** Owned headers whose value in the client's request plays a part in what is sent. */
const CONSULTED = new Set(['te', 'upgrade', 'via', 'x-forwarded-for']);

type NameKind = 'passes' | 'drops' | 'consulted' | 'identity';

/** Clients use few names, and looking one up costs a third of judging it. Full means no more are learned. */
const KNOWN_KINDS_LIMIT = 512;
const knownKinds = new Map<string, NameKind>();

function kindOf(name: string): NameKind {
  const known = knownKinds.get(name);
  if (known !== undefined) return known;
  const kind = judgeName(name);
  if (knownKinds.size < KNOWN_KINDS_LIMIT) knownKinds.set(name, kind);
  return kind;
}

function judgeName(name: string): NameKind {
  if (CONSULTED.has(name)) return 'consulted';
  // Some upstreams read `_` as `-`: a client must not frame its request, or say who forwards it, in another spelling.
  if (OWNED.has(name.replaceAll('_', '-')) || !ORDINARY_NAME.test(name)) return 'drops';
  return IDENTITY.test(name) ? 'identity' : 'passes';
}

const NO_HEADERS: readonly string[] = [];

/**
 * Head with CRLFs and the empty line, in latin1 code units. Throws GatewayError GW_PLUGIN_FAILED when an override's
 * value could split the head.
 */
export function writeRequestHead(input: RequestHeadInput): string {
  const { headers } = input.exchange;
  const named = findNamedByConnection(headers);
  const changes = input.overrides === null ? null : resolveChanges(input.overrides);
  const host = (changes === null ? undefined : changes.host) ?? input.host;
  let head = input.method + ' ' + input.target + ' HTTP/1.1\r\nHost: ' + host + '\r\n';
  let consults = false;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const kind = kindOf(name);
    if (kind === 'consulted') consults = true;
    if (kind !== 'passes' && !(kind === 'identity' && input.isTrusted)) continue;
    if (named?.includes(name) || (changes !== null && isReplaced(name, changes.removed))) continue;
    if (name === REQUEST_ID && input.requestId !== undefined) continue;
    head += name + ': ' + headers[at + 1] + '\r\n';
  }
  if (changes !== null) head += input.requestId === undefined ? changes.text : changes.textWithoutRequestId;
  const consulted = consults ? headers : NO_HEADERS;
  head += writeConnection(consulted, input.relaysWebSocket === true);
  head += writeForwarding(consulted, input) + writeFraming(input);
  // Whoever writes this as latin1 would cut code units to bytes, and U+010A to a line feed.
  return BEYOND_LATIN1.test(head) ? Buffer.from(head, 'utf8').toString('latin1') : head;
}

function isUntouchable(name: string): boolean {
  return name !== 'host' && OWNED.has(name);
}

interface RequestChanges {
  /** Lower-case names whose values from the client go. */
  readonly removed: readonly string[];
  readonly host: string | undefined;
  /** Header lines to add. */
  readonly text: string;
  /** The same for requests that get an id from the gateway. */
  readonly textWithoutRequestId: string;
}

/** Frozen overrides are shared by all requests of a consumer, so what comes of them is worth keeping. */
const knownChanges = new WeakMap<HeaderOverrides, RequestChanges>();

function resolveChanges(overrides: HeaderOverrides): RequestChanges {
  let changes = knownChanges.get(overrides);
  if (changes === undefined) {
    const { removed, added } = resolveOverrides(overrides, isUntouchable);
    const host = removed.includes('host') ? findHost(added) : undefined;
    changes = {
      removed,
      host,
      text: writeAdded(added, false),
      textWithoutRequestId: writeAdded(added, true),
    };
    if (Object.isFrozen(overrides)) knownChanges.set(overrides, changes);
  }
  return changes;
}

function findHost(added: readonly string[]): string | undefined {
  for (let at = 0; at < added.length; at += 2) {
    if (isHost(added[at] as string)) return added[at + 1];
  }
  return undefined;
}

function isHost(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'host';
}

/** Names the client's Connection lists besides what it says of the connection itself; null for none. */
function findNamedByConnection(headers: readonly string[]): readonly string[] | null {
  let names: string[] | null = null;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (name.length !== 10 || name !== 'connection') continue;
    const value = (headers[at + 1] as string).toLowerCase();
    if (value === 'keep-alive' || value === 'close' || value === 'upgrade') continue;
    names = [...(names ?? []), ...value.split(',').map((entry) => entry.trim())];
  }
  return names;
}

/** Whether a plugin's operation takes the client's header out. */
function isReplaced(name: string, removed: readonly string[]): boolean {
  if (removed.includes(name)) return true;
  if (!name.includes('_')) return false;
  const hyphenated = name.replaceAll('_', '-');
  return IDENTITY.test(hyphenated) && removed.includes(hyphenated);
}

function writeAdded(added: readonly string[], hasRequestId: boolean): string {
  let text = '';
  for (let at = 0; at < added.length; at += 2) {
    const name = added[at] as string;
    if (isHost(name) || (hasRequestId && name.toLowerCase() === REQUEST_ID)) continue;
    text += `${name}: ${added[at + 1]}\r\n`;
  }
  return text;
}

function writeConnection(headers: readonly string[], relaysWebSocket: boolean): string {
  const connection = relaysWebSocket
    ? 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n'
    : 'Connection: keep-alive\r\n';
  const te = findHeader(headers, 'te');
  return te !== undefined && listsTrailers(te) ? `${connection}TE: trailers\r\n` : connection;
}

function listsTrailers(te: string): boolean {
  return te
    .toLowerCase()
    .split(',')
    .some((entry) => entry.trim() === 'trailers');
}

/** What the gateway says of the client and of itself. A repeated header counts with its first line. */
function writeForwarding(headers: readonly string[], input: RequestHeadInput): string {
  const { exchange, clientAddress, requestId } = input;
  const earlierAddresses = findHeader(headers, 'x-forwarded-for');
  const addresses =
    earlierAddresses === undefined ? clientAddress : earlierAddresses + ', ' + exchange.peerAddress;
  const earlierVia = findHeader(headers, 'via');
  const via = versionOf(exchange.httpVersion) + ' ' + input.productToken;
  let text = 'Via: ' + (earlierVia === undefined ? via : earlierVia + ', ' + via) + '\r\n';
  text += 'X-Real-IP: ' + clientAddress + '\r\nX-Forwarded-For: ' + addresses + '\r\n';
  text += input.isTrusted ? writeTrustedOrigin(input) : writeOrigin(input);
  return requestId === undefined ? text : text + 'X-Kong-Request-Id: ' + requestId + '\r\n';
}

function versionOf(httpVersion: ClientExchange['httpVersion']): string {
  return httpVersion === '1.0' ? '1' : httpVersion;
}

function writeOrigin({ exchange, strippedPrefix }: RequestHeadInput): string {
  let text = 'X-Forwarded-Proto: ' + exchange.scheme + '\r\n';
  if (exchange.host !== undefined) text += 'X-Forwarded-Host: ' + nameOf(exchange.host) + '\r\n';
  text += 'X-Forwarded-Port: ' + exchange.localPort + '\r\nX-Forwarded-Path: ' + exchange.rawPath + '\r\n';
  return strippedPrefix === '' ? text : text + 'X-Forwarded-Prefix: ' + encodePath(strippedPrefix) + '\r\n';
}

/** The same, each header as the trusted peer wrote it, where it did. */
function writeTrustedOrigin({ exchange, strippedPrefix }: RequestHeadInput): string {
  const { headers } = exchange;
  const host = findHeader(headers, 'x-forwarded-host') ?? (exchange.host && nameOf(exchange.host));
  const prefix = findHeader(headers, 'x-forwarded-prefix') ?? encodePath(strippedPrefix);
  return (
    `X-Forwarded-Proto: ${findHeader(headers, 'x-forwarded-proto') ?? exchange.scheme}\r\n` +
    (host === undefined ? '' : `X-Forwarded-Host: ${host}\r\n`) +
    `X-Forwarded-Port: ${findHeader(headers, 'x-forwarded-port') ?? exchange.localPort}\r\n` +
    `X-Forwarded-Path: ${findHeader(headers, 'x-forwarded-path') ?? exchange.rawPath}\r\n` +
    (prefix === '' ? '' : `X-Forwarded-Prefix: ${prefix}\r\n`)
  );
}

/** Lower case, without port; an IPv6 literal keeps its brackets. */
function nameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  const hasPort = colon > 0 && colon > host.lastIndexOf(']');
  return (hasPort ? host.slice(0, colon) : host).toLowerCase();
}

function writeFraming({ framing }: RequestHeadInput): string {
  if (framing === undefined) return '\r\n';
  if (framing === 'chunked') return 'Transfer-Encoding: chunked\r\n\r\n';
  return `Content-Length: ${framing.contentLength}\r\n\r\n`;
}
