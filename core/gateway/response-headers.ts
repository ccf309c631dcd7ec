/**
 * The headers of an answer on its way to the client: an upstream's without what belongs to its connection, and the
 * gateway's own as far as the `headers` setting wants them. Source: contract/proxy.md section 5.
 */
import { type HeaderOverrides, resolveOverrides } from './header-overrides.ts';

export interface ResponseHeaderSettings {
  /** Names of the headers to add, as in `X-Kong-Request-Id`: the `headers` setting with its groups expanded. */
  readonly added: ReadonlySet<string>;
  /** `tollgate/<version>` */
  readonly productToken: string;
  /** The listener writes a Date of its own, so the upstream's must go. */
  readonly hasOwnDate: boolean;
}

/** Milliseconds may be fractional; whole ones are sent. */
export interface ProxiedFacts {
  readonly requestId: string;
  /** Spent in the gateway before the upstream. */
  readonly proxyMs: number;
  /** From sending to the response head. */
  readonly upstreamMs: number;
  readonly upstreamStatus: number;
  /** Of the upstream's answer; default 1.1. */
  readonly httpVersion?: '2' | undefined;
}

export interface OwnFacts {
  readonly requestId: string;
  /** Needed to produce the answer. */
  readonly latencyMs: number;
  /** Given when an upstream was tried and failed: then the answer counts as proxied. */
  readonly upstream: { readonly proxyMs: number; readonly upstreamMs: number } | undefined;
}

export interface ResponseHeaderPolicy {
  /** `headers`: the upstream's, flat, names in any case. Framing headers are not in the result. */
  proxied(headers: readonly string[], facts: ProxiedFacts): string[];
  /** `headers`: of an answer the gateway or a plugin made; they are all kept. */
  own(headers: readonly string[], facts: OwnFacts): string[];
}

/** What happens to an upstream's header of a lower-case name; all others pass. */
type Handling = 'drop' | 'connection' | 'server' | 'via' | 'charset';

/** Types that get a charset when they name none: nginx's `charset_types`, which know bare types only. */
const TYPES_WITH_CHARSET = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'application/javascript',
  'application/rss+xml',
]);

export function compileResponseHeaders(settings: ResponseHeaderSettings): ResponseHeaderPolicy {
  const { added, productToken } = settings;
  const handlings = listHandlings(settings);
  const lengths = maskLengths(handlings.keys());
  const sendsServer = added.has('Server');
  const sendsVia = added.has('Via');
  const viaOfHttp1 = `1.1 ${productToken}`;
  const viaOfHttp2 = `2 ${productToken}`;

  return {
    proxied(headers, facts) {
      const named = findNamedByConnection(headers);
      const result: string[] = [];
      let hasServer = false;
      const ownVia = facts.httpVersion === undefined ? viaOfHttp1 : viaOfHttp2;
      let via = ownVia;
      for (let at = 0; at < headers.length; at += 2) {
        const name = headers[at] as string;
        const value = headers[at + 1] as string;
        // Most names have a length that nothing of interest has, and need no lower-casing.
        const handling = mayHaveLength(lengths, name) ? handlings.get(name.toLowerCase()) : undefined;
        if (handling === 'drop' || handling === 'connection') continue;
        if (named?.includes(name.toLowerCase())) continue;
        if (handling === 'via' && sendsVia) {
          if (via === ownVia) via = `${value}, ${ownVia}`;
          continue;
        }
        if (handling === 'server') hasServer = true;
        result.push(name, handling === 'charset' ? addCharset(value) : value);
      }
      if (!hasServer && sendsServer) result.push('Server', productToken);
      if (sendsVia) result.push('Via', via);
      addLatencies(result, added, facts);
      if (added.has('X-Kong-Upstream-Status')) {
        result.push('X-Kong-Upstream-Status', String(facts.upstreamStatus));
      }
      addRequestId(result, added, facts.requestId);
      return result;
    },

    own(headers, { requestId, latencyMs, upstream }) {
      const result = [...headers];
      if (sendsServer) result.push('Server', productToken);
      if (upstream !== undefined) {
        if (sendsVia) result.push('Via', viaOfHttp1);
        addLatencies(result, added, upstream);
      } else if (added.has('X-Kong-Response-Latency')) {
        result.push('X-Kong-Response-Latency', wholeMs(latencyMs));
      }
      addRequestId(result, added, requestId);
      return result;
    },
  };
}

function listHandlings({ added, hasOwnDate }: ResponseHeaderSettings): ReadonlyMap<string, Handling> {
  const handlings = new Map<string, Handling>([
    ['connection', 'connection'],
    ['keep-alive', 'drop'],
    ['proxy-connection', 'drop'],
    ['upgrade', 'drop'],
    ['trailer', 'drop'],
    ['transfer-encoding', 'drop'],
    ['content-length', 'drop'],
    ['server', 'server'],
    ['via', 'via'],
    ['content-type', 'charset'],
  ]);
  if (hasOwnDate) handlings.set('date', 'drop');
  for (const name of added) {
    // The gateway's own value takes the place of an upstream that is a gateway itself.
    if (name.startsWith('X-Kong-') && name !== 'X-Kong-Response-Latency')
      handlings.set(name.toLowerCase(), 'drop');
  }
  return handlings;
}

/** Bit n is set when one of the names has n characters, or that many more than a multiple of 32. */
function maskLengths(names: Iterable<string>): number {
  let mask = 0;
  for (const name of names) mask |= 1 << name.length;
  return mask;
}

function mayHaveLength(mask: number, name: string): boolean {
  return (mask & (1 << name.length)) !== 0;
}

/** Lower-case names that an upstream's Connection lists; null for none. */
function findNamedByConnection(headers: readonly string[]): readonly string[] | null {
  let names: string[] | null = null;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = (headers[at + 1] as string).toLowerCase();
    if (value === 'keep-alive' || value === 'close') continue;
    names = [...(names ?? []), ...value.split(',').map((entry) => entry.trim())];
  }
  return names;
}

function addCharset(contentType: string): string {
  return TYPES_WITH_CHARSET.has(contentType.toLowerCase()) ? `${contentType}; charset=UTF-8` : contentType;
}

function addLatencies(
  result: string[],
  added: ReadonlySet<string>,
  { proxyMs, upstreamMs }: { readonly proxyMs: number; readonly upstreamMs: number },
): void {
  if (added.has('X-Kong-Upstream-Latency')) result.push('X-Kong-Upstream-Latency', wholeMs(upstreamMs));
  if (added.has('X-Kong-Proxy-Latency')) result.push('X-Kong-Proxy-Latency', wholeMs(proxyMs));
}

function addRequestId(result: string[], added: ReadonlySet<string>, requestId: string): void {
  if (added.has('X-Kong-Request-Id')) result.push('X-Kong-Request-Id', requestId);
}

/** Clocks may step back: never a negative number. */
function wholeMs(milliseconds: number): string {
  return String(Math.max(0, Math.trunc(milliseconds)));
}

/** Framing is the listener's, and the id must be the one in the logs. */
const OWNED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'x-kong-request-id',
]);

/**
 * Headers after the operations of plugins. Values are latin1-safe then. Throws GatewayError GW_PLUGIN_FAILED when a
 * value could split the head.
 */
export function applyHeaderOverrides(
  headers: readonly string[],
  overrides: HeaderOverrides,
): readonly string[] {
  const { removed, added } = resolveOverrides(overrides, isOwned);
  const lengths = maskLengths(removed);
  const result: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (mayHaveLength(lengths, name) && removed.includes(name.toLowerCase())) continue;
    result.push(name, headers[at + 1] as string);
  }
  for (const part of added) result.push(part);
  return result;
}

function isOwned(name: string): boolean {
  return OWNED.has(name);
}
