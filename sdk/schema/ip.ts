/** Recognising IP addresses and hosts in text, without the platform's help: this also runs where `node:net` does not. */

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** Without brackets; `::` and an embedded IPv4 tail are understood, zones are not. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const counts = groups.map((half, index) => countGroups(half, index === halves.length - 1));
  if (counts.includes(undefined)) return false;
  const total = (counts[0] ?? 0) + (counts[1] ?? 0);
  return halves.length === 2 ? total < 8 : total === 8;
}

/** Number of 16-bit groups, or undefined when one is malformed. Only the very last may be an IPv4 address. */
function countGroups(groups: readonly string[], isLastHalf: boolean): number | undefined {
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) count += 1;
    else if (isLastHalf && index === groups.length - 1 && isIpv4(group)) count += 2;
    else return undefined;
  }
  return count;
}

export function isIpOrCidr(text: string): boolean {
  const [address, prefix, ...rest] = text.split('/');
  if (address === undefined || rest.length > 0) return false;
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : undefined;
  if (bits === undefined) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

export type ParsedHost =
  | { readonly kind: 'name' | 'ipv4' | 'ipv6'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'bad-host' }
  | { readonly kind: 'bad-port' };

/** Splits `host`, `host:port`, `1.2.3.4`, `::1`, `[::1]:port`. A label may hold `_` and may not end in `-`. */
export function parseHost(text: string): ParsedHost {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) return withPort('ipv6', bracketed[1] ?? '', bracketed[2]);
  if (text.split(':').length > 2) return withPort('ipv6', text, undefined);
  const colon = text.indexOf(':');
  const host = colon === -1 ? text : text.slice(0, colon);
  const port = colon === -1 ? undefined : text.slice(colon + 1);
  return withPort(/^[\d.]+$/.test(host) ? 'ipv4' : 'name', host, port);
}

const HOST_RULES = { name: isHostName, ipv4: isIpv4, ipv6: isIpv6 } as const;

function withPort(kind: 'name' | 'ipv4' | 'ipv6', host: string, port: string | undefined): ParsedHost {
  if (!HOST_RULES[kind](host)) return { kind: 'bad-host' };
  if (port === undefined) return { kind, host, port: undefined };
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return { kind: 'bad-port' };
  return { kind, host, port: Number(port) };
}

function isHostName(name: string): boolean {
  const absolute = name.endsWith('.') ? name.slice(0, -1) : name;
  return absolute.split('.').every((label) => /^[A-Za-z0-9_-]+$/.test(label) && !label.endsWith('-'));
}
