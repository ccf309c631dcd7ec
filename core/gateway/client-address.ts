/**
 * Who the client is: the TCP peer, or, when the peer is a trusted proxy, whom its header names.
 * Source: contract/proxy.md section 4.1.
 */
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

export interface RealIpSettings {
  /** Addresses and CIDR blocks; entries beginning with `unix:` trust every peer without an address. */
  readonly trustedIps: readonly string[];
  /** `X-Real-IP`, `X-Forwarded-For` or another header holding one address or a list of them. */
  readonly realIpHeader: string;
  readonly isRecursive: boolean;
}

export interface ClientAddress {
  readonly address: string;
  /** Decided on the peer, never on the address its header names. */
  readonly isTrusted: boolean;
}

/** `headers` flat with lower-case names. */
export type ClientAddressResolver = (peerAddress: string, headers: readonly string[]) => ClientAddress;

type IsTrusted = (address: string) => boolean;

/** Peers are few (load balancers), and asking the block list means a call into native code. */
const MAX_REMEMBERED_PEERS = 1024;

/** Throws Error naming an entry of `trustedIps` that is neither an address nor a block. */
export function compileClientAddress(settings: RealIpSettings): ClientAddressResolver {
  if (settings.trustedIps.length === 0) return (address) => ({ address, isTrusted: false });
  const isTrusted = compileTrustedIps(settings.trustedIps);
  const isTrustedPeer = remember(isTrusted);
  const headerName = settings.realIpHeader.toLowerCase();
  return (peerAddress, headers) => {
    if (!isTrustedPeer(peerAddress)) return { address: peerAddress, isTrusted: false };
    const named = listAddresses(headers, headerName);
    const address = settings.isRecursive
      ? findFirstUntrusted(named, isTrusted)
      : parseAddress(named.at(-1) ?? '');
    return { address: address ?? peerAddress, isTrusted: true };
  };
}

function compileTrustedIps(entries: readonly string[]): IsTrusted {
  const blocks = new BlockList();
  let trustsUnixPeers = false;
  for (const entry of entries) {
    if (entry.startsWith('unix:')) trustsUnixPeers = true;
    else addBlock(blocks, entry);
  }
  return (address) => {
    const family = isIP(address);
    if (family === 0) return trustsUnixPeers;
    return blocks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function addBlock(blocks: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.trim().split('/');
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  const length = prefix === undefined ? longest : Number(prefix);
  if (
    family === 0 ||
    rest.length > 0 ||
    prefix === '' ||
    !Number.isInteger(length) ||
    length < 0 ||
    length > longest
  ) {
    throw new Error(`trusted_ips: '${entry}' is neither an address nor a CIDR block`);
  }
  blocks.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
}

function remember(isTrusted: IsTrusted): IsTrusted {
  const known = new Map<string, boolean>();
  return (address) => {
    let answer = known.get(address);
    if (answer === undefined) {
      answer = isTrusted(address);
      if (known.size >= MAX_REMEMBERED_PEERS) known.clear();
      known.set(address, answer);
    }
    return answer;
  };
}

/** Entries of all lines of the header, in order. */
function listAddresses(headers: readonly string[], name: string): string[] {
  const entries: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name) entries.push(...(headers[at + 1] as string).split(','));
  }
  return entries;
}

/** From the right past trusted addresses. Something that is no address ends the walk: nothing left of it counts. */
function findFirstUntrusted(entries: readonly string[], isTrusted: IsTrusted): string | undefined {
  let found: string | undefined;
  for (let index = entries.length - 1; index >= 0; index--) {
    const address = parseAddress(entries[index] as string);
    if (address === undefined) return found;
    found = address;
    if (!isTrusted(address)) return found;
  }
  return found;
}

/** Shortest usual form of an address; a port behind it is ignored. Undefined for anything else. */
function parseAddress(entry: string): string | undefined {
  const text = entry.trim();
  if (isIP(text) !== 0) return shorten(text);
  const withoutPort = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1];
  return withoutPort !== undefined && isIP(withoutPort) !== 0 ? shorten(withoutPort) : undefined;
}

function shorten(address: string): string {
  if (!isIPv6(address)) return address;
  const short = new SocketAddress({ address, family: 'ipv6' }).address;
  return short.startsWith('::ffff:') && short.includes('.') ? short.slice('::ffff:'.length) : short;
}
