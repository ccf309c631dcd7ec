/**
 * The order of evaluation as contract/proxy.md section 2.7 words it for `traditional`, without any index: all
 * candidates are sorted by the documented keys, and the first one whose conditions hold wins.
 */
import type { RouteRule, RouterRequest } from '../../../../core/router/route-rule.ts';

interface Entry<Value> {
  readonly rule: RouteRule<Value>;
  readonly path: string | null;
  readonly keys: readonly number[];
}

export function matchByScanning<Value>(
  rules: readonly RouteRule<Value>[],
  request: RouterRequest,
): Value | null {
  const entries = rules.flatMap((rule) => (rule.paths ?? [null]).map((path) => entryOf(rule, path)));
  entries.sort((a, b) => {
    for (const [index, key] of a.keys.entries()) {
      const difference = (b.keys[index] ?? 0) - key;
      if (difference !== 0) return difference;
    }
    return a.rule.id < b.rule.id ? -1 : Number(a.rule.id > b.rule.id);
  });
  return entries.find((entry) => holds(entry, request))?.rule.value ?? null;
}

function entryOf<Value>(rule: RouteRule<Value>, path: string | null): Entry<Value> {
  const { hosts, headers, methods, snis, paths } = rule;
  const bits = [hosts && 64, headers && 32, paths && 16, methods && 8, snis && 4].filter(
    (bit) => bit !== null,
  );
  const isRegex = path?.startsWith('~') ?? false;
  const wildcards = hosts?.filter((host) => host.includes('*')) ?? [];
  const subRank =
    (wildcards.some((host) => host.includes(':')) ? 4 : 0) +
    (hosts !== null && wildcards.length === 0 ? 2 : 0) +
    (isRegex ? 1 : 0);
  return {
    rule,
    path,
    keys: [
      bits.length,
      bits.reduce((sum, bit) => sum + bit, 0),
      subRank,
      Object.keys(headers ?? {}).length,
      isRegex ? rule.regexPriority : 0,
      isRegex ? 0 : (path?.length ?? 0),
      -rule.createdAt,
    ],
  };
}

function holds({ rule, path }: Entry<unknown>, request: RouterRequest): boolean {
  return (
    (rule.methods?.includes(request.method) ?? true) &&
    (rule.hosts?.some((host) => hostHolds(host, request)) ?? true) &&
    (path === null || pathHolds(path, request.path)) &&
    Object.entries(rule.headers ?? {}).every(([name, values]) =>
      headerHolds(name, values, request.headers),
    ) &&
    (rule.snis === null || request.scheme === 'http' || rule.snis.some((sni) => sni === request.sni))
  );
}

function hostHolds(entry: string, { host, defaultPort }: RouterRequest): boolean {
  if (host === undefined) return false;
  const [name = '', port] = host.toLowerCase().split(':');
  const [pattern = '', wantedPort] = entry.split(':');
  if (wantedPort !== undefined && wantedPort !== (port ?? String(defaultPort))) return false;
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1)) && name.length >= pattern.length;
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1)) && name.length >= pattern.length;
  return name === pattern;
}

function pathHolds(entry: string, path: string): boolean {
  return entry.startsWith('~') ? new RegExp(`^(?:${entry.slice(1)})`).test(path) : path.startsWith(entry);
}

function headerHolds(name: string, values: readonly string[], headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name && values.includes(headers[at + 1] as string)) return true;
  }
  return false;
}
