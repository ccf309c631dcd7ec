/** The hosts file: names an operator has written addresses down for, before any server is asked. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { addressOf, type HostAnswer } from './host-answer.ts';

/** Changes of the file are noticed after so long. */
const REREAD_MS = 10_000;

export interface HostsFile {
  /** Undefined for a name that is not in it. */
  find(host: string): HostAnswer | undefined;
}

/** A file that cannot be read is an empty one. */
export function createHostsFile(path: string, nowMs: () => number): HostsFile {
  let names = new Map<string, readonly string[]>();
  let readAtMs = Number.NEGATIVE_INFINITY;
  return {
    find(host) {
      if (nowMs() - readAtMs >= REREAD_MS) {
        readAtMs = nowMs();
        names = parseHosts(readText(path));
      }
      const ips = names.get(host.toLowerCase());
      if (ips === undefined) return undefined;
      // Few upstreams that are called by such a name listen on ::1 too.
      const ipv4 = ips.filter((ip) => isIP(ip) === 4);
      const addresses = (ipv4.length > 0 ? ipv4 : ips).map(addressOf);
      return { kind: 'found', type: ipv4.length > 0 ? 'A' : 'AAAA', addresses, ttlMs: REREAD_MS };
    },
  };
}

/** Names in lower case. `localhost` is there whatever the file says (RFC 6761). */
export function parseHosts(text: string): Map<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [ip = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(ip) === 0) continue;
    for (const alias of aliases) {
      const known = names.get(alias.toLowerCase());
      if (known === undefined) names.set(alias.toLowerCase(), [ip]);
      else if (!known.includes(ip)) known.push(ip);
    }
  }
  if (!names.has('localhost')) names.set('localhost', ['127.0.0.1']);
  return names;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
