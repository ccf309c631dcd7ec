/** A set of addresses given as IPs and CIDR ranges, asked in logarithmic time however long the list is. */
import { isIpv4, isIpv6 } from './schema/ip.ts';

/** Made by `compileIpSet`. */
export interface IpSet {
  /** False for what is no address. An IPv4 address mapped into IPv6 counts as the IPv4 address. */
  has(address: string): boolean;
}

/** First and last address of a range, both in `hexOf` form. */
type Range = readonly [first: string, last: string];

const MAPPED_PREFIX = `${'0'.repeat(20)}ffff`;

/** `entries`: `1.2.3.4`, `10.0.0.0/8`, `::1`, `2001:db8::/32`. Throws TypeError on anything else. Compile once, ask often. */
export function compileIpSet(entries: readonly string[]): IpSet {
  const ranges = mergeRanges(entries.map(rangeOf));
  return {
    has(address) {
      const wanted = hexOf(address);
      if (wanted === undefined) return false;
      const range = findLastBefore(ranges, wanted);
      return range !== undefined && range[0].length === wanted.length && wanted <= range[1];
    },
  };
}

/** Digits of an address: 8 for IPv4, 32 for IPv6. Texts of one length sort like the addresses. */
function hexOf(address: string): string | undefined {
  if (isIpv4(address)) return hexOfIpv4(address);
  if (!isIpv6(address)) return undefined;
  const hex = hexOfIpv6(address);
  return hex.startsWith(MAPPED_PREFIX) ? hex.slice(MAPPED_PREFIX.length) : hex;
}

function hexOfIpv4(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
}

function hexOfIpv6(address: string): string {
  const [head = '', tail] = address.split('::');
  const front = hexOfGroups(head);
  const back = hexOfGroups(tail ?? '');
  return front + '0'.repeat(32 - front.length - back.length) + back;
}

function hexOfGroups(text: string): string {
  if (text === '') return '';
  return text
    .split(':')
    .map((group) => (group.includes('.') ? hexOfIpv4(group) : group.toLowerCase().padStart(4, '0')))
    .join('');
}

function rangeOf(entry: string): Range {
  const [address = '', prefix] = entry.split('/');
  const hex = hexOf(address);
  if (hex === undefined) throw new TypeError(`'${entry}' is no IP address or range`);
  const size = hex.length * 4;
  const isMapped = size === 32 && address.includes(':');
  const bits = prefix === undefined ? size : Number(prefix) - (isMapped ? 96 : 0);
  if (!Number.isInteger(bits) || bits < 0 || bits > size)
    throw new TypeError(`'${entry}' is no IP address or range`);
  return [maskHex(hex, bits, '0'), maskHex(hex, bits, 'f')];
}

/** `hex` with everything behind its first `bits` bits set to those of the digit `fill`: `0` or `f`. */
function maskHex(hex: string, bits: number, fill: '0' | 'f'): string {
  const whole = Math.floor(bits / 4);
  const rest = bits % 4;
  if (rest === 0) return hex.slice(0, whole).padEnd(hex.length, fill);
  const free = 0xf >> rest;
  const digit = Number.parseInt(hex[whole] ?? '0', 16);
  const edge = fill === 'f' ? digit | free : digit & ~free;
  return (hex.slice(0, whole) + edge.toString(16)).padEnd(hex.length, fill);
}

/** In order, IPv4 before IPv6, without overlaps. */
function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted(([a], [b]) => compareHex(a, b))) {
    const last = merged[merged.length - 1];
    if (last === undefined || last[0].length !== range[0].length || range[0] > last[1]) merged.push(range);
    else if (range[1] > last[1]) merged[merged.length - 1] = [last[0], range[1]];
  }
  return merged;
}

function compareHex(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

/** The last range that begins at `wanted` or before it. */
function findLastBefore(ranges: readonly Range[], wanted: string): Range | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareHex((ranges[middle] as Range)[0], wanted) <= 0) low = middle + 1;
    else high = middle;
  }
  return ranges[low - 1];
}
