/** What a package may reach: the origins its manifest lists, and no private address but those it lists as well. */
import { BlockList, isIP } from 'node:net';
import { type EgressOrigin, parseEgressOrigin } from '../../sdk/protocol/fetch.ts';

export interface EgressRules {
  /** Throws Error naming the origin when it is not listed, or when its host is a private address that is not. */
  check(url: URL): void;
  /** Whether a connection may go to this address, whatever name led to it. */
  mayConnect(address: string): boolean;
}

/** Where a gateway finds its own network, its machine and its cloud's metadata; also what is no single host. */
const PRIVATE_RANGES = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  // Addresses that stand for an IPv4 address: translated, 6to4 and Teredo.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const privateAddresses = compileRanges(PRIVATE_RANGES);

/** `entries` as `isEgressEntry` accepts them. */
export function compileEgress(entries: readonly string[]): EgressRules {
  const origins = entries.flatMap((entry) => parseEgressOrigin(entry) ?? []);
  const ranges = entries.filter((entry) => parseEgressOrigin(entry) === undefined);
  // An address that is listed as an origin is meant.
  const literals = origins.flatMap(({ host }) => (isIP(host) === 0 ? [] : [host]));
  const listed = compileRanges([...ranges, ...literals]);
  const mayConnect = (address: string) => !isWithin(privateAddresses, address) || isWithin(listed, address);
  return {
    mayConnect,
    check(url) {
      const host = hostOf(url);
      if (!origins.some((origin) => isOf(origin, url, host))) {
        throw new Error(`the manifest does not list the origin '${url.origin}'`);
      }
      // The system is not asked what an address stands for, so this is the only look at it.
      if (isIP(host) !== 0 && !mayConnect(host)) throw new Error(`'${host}' is a private address`);
    },
  };
}

function isOf(origin: EgressOrigin, url: URL, host: string): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (url.protocol !== `${origin.scheme}:` || port !== origin.port) return false;
  return origin.isWildcard ? host.endsWith(`.${origin.host}`) : host === origin.host;
}

/** Without the brackets of an IPv6 address and the dot of a fully qualified name. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.$/, '');
}

function isWithin(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function compileRanges(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list;
}
