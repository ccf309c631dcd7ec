/** The text of a target: a host or address with a port (contract/admin-api.md section 3.7). Pure. */
import { parseHost } from '../../sdk/schema/ip.ts';

const DEFAULT_PORT = 8000;

export interface TargetAddress {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** As it is stored: with a port, IPv6 written out and in brackets. Undefined for what is no host. */
export function normaliseTarget(text: string): string | undefined {
  const parsed = parseHost(text);
  if (!('host' in parsed) || parsed.host === '') return undefined;
  const host = parsed.kind === 'ipv6' ? `[${expandIpv6(parsed.host)}]` : parsed.host;
  return `${host}:${parsed.port ?? DEFAULT_PORT}`;
}

/** Of a stored target. */
export function readTarget(target: string): TargetAddress {
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon);
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(target.slice(colon + 1)) };
}

function expandIpv6(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(':');
}

/** Two groups for an IPv4 address at the end. */
function groupsOf(half: string): readonly string[] {
  if (half === '') return [];
  return half.split(':').flatMap((group) => {
    if (!group.includes('.')) return [group];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
  });
}
