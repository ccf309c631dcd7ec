/**
 * Turns the bytes of a socket address into text. Many requests come from few peers, so the texts are remembered
 * in a small table per worker.
 */

const REMEMBERED_PEERS = 1024;

const textsOfIpv4 = new Map<number, string>();
const textsOfIpv6 = new Map<string, string>();

/**
 * Text of a 4 or 16 byte address: dotted decimal, or IPv6 with its longest run of zero groups compressed
 * (RFC 5952). An IPv4-mapped address is written as IPv4. Anything else (a Unix socket) gives ''.
 */
export function formatPeerAddress(address: ArrayBuffer): string {
  if (address.byteLength === 4) return formatIpv4(new Uint8Array(address), 0);
  if (address.byteLength !== 16) return '';
  const bytes = new Uint8Array(address);
  return isIpv4Mapped(bytes) ? formatIpv4(bytes, 12) : formatIpv6(bytes);
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  if (bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let index = 0; index < 10; index++) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}

function formatIpv4(bytes: Uint8Array, start: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]];
  const key = a * 0x1000000 + b * 0x10000 + c * 0x100 + d;
  const known = textsOfIpv4.get(key);
  return known ?? remember(textsOfIpv4, key, `${a}.${b}.${c}.${d}`);
}

function formatIpv6(bytes: Uint8Array): string {
  const key = String.fromCharCode(...bytes);
  const known = textsOfIpv6.get(key);
  return known ?? remember(textsOfIpv6, key, compressIpv6(bytes));
}

function compressIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  }
  const { start, length } = findLongestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

function findLongestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === '0') continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

/** Starts over when full: simpler than an order of use, and a table of peers fills up again at once. */
function remember<Key>(texts: Map<Key, string>, key: Key, text: string): string {
  if (texts.size >= REMEMBERED_PEERS) texts.clear();
  texts.set(key, text);
  return text;
}

/** The same for an address as Node tells it: only IPv4-mapped ones are not in their usual form. */
export function readPeerAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
