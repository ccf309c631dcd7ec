/**
 * The Host side of matching: entries of `hosts` and the Host header, brought to a form in which equal keys match.
 * Names are compared without regard to case. Source: contract/proxy.md section 2.2.
 */

export interface HostAndPort {
  /** Lower case, without port and without the brackets of an IPv6 literal. */
  readonly name: string;
  readonly port: number | undefined;
}

/** An entry of `hosts`; its name may hold one `*` as first or last label. */
export interface HostPattern extends HostAndPort {
  readonly isWildcard: boolean;
}

export function parseHostPattern(entry: string): HostPattern {
  const host = splitHost(entry);
  return { ...host, isWildcard: host.name.includes('*') };
}

/** A suffix that is not `:digits` is part of the name. */
export function splitHost(host: string): HostAndPort {
  const lower = host.toLowerCase();
  const colon = lower.lastIndexOf(':');
  if (colon < 0) return { name: lower, port: undefined };
  const isLiteral = lower.startsWith('[');
  if (isLiteral && lower.endsWith(']')) return { name: lower.slice(1, -1), port: undefined };
  const digits = lower.slice(colon + 1);
  const isIpv6WithoutBrackets = !isLiteral && lower.indexOf(':') !== colon;
  if (!/^\d+$/.test(digits) || isIpv6WithoutBrackets) return { name: lower, port: undefined };
  const name = lower.slice(0, colon);
  return {
    name: isLiteral && name.endsWith(']') ? name.slice(1, -1) : name,
    port: Number(digits),
  };
}

/** The longest name DNS knows; what is longer is no host, and listing its wildcards would be a way to burn CPU. */
const MAX_NAME_LENGTH = 253;

/** Every wildcard that matches a name: for `x.y.b` these are `*.y.b`, `*.b`, `x.y.*` and `x.*`. */
export function listWildcardsOf(name: string): string[] {
  const wildcards: string[] = [];
  if (name.length > MAX_NAME_LENGTH) return wildcards;
  for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) {
    wildcards.push(`*${name.slice(dot)}`);
    if (dot < name.length - 1) wildcards.push(`${name.slice(0, dot)}.*`);
  }
  return wildcards;
}
