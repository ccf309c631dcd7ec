/** Where the gateway listens, in Kong's notation: `0.0.0.0:8443 http2 ssl reuseport`. */
import { isIPv4, isIPv6 } from 'node:net';
import { type SettingKind, splitList } from './setting-kind.ts';

/** One address and port to listen on. Port 0 takes any free one. */
export interface Listener {
  /** An IP address without brackets, or a host name. */
  readonly address: string;
  readonly port: number;
  /** As given, in order. */
  readonly flags: readonly string[];
  /** TLS. */
  readonly isSecure: boolean;
  readonly speaksHttp2: boolean;
  /** Asked to be served by Node's own HTTP server. */
  readonly isStrict: boolean;
}

/** Tuning of another server's sockets. Accepted, so that an existing value keeps working; nothing to do here. */
const NEUTRAL_FLAG = /^(reuseport|deferred|bind|backlog=\d+|so_keepalive=\S+)$/;

/** Listeners that may have these flags besides the neutral ones; others are refused by name. */
export function listenersWith(...available: readonly string[]): SettingKind<readonly Listener[]> {
  const flagsExpected =
    available.length === 0
      ? ''
      : `, each with any of ${available.map((flag) => `\`${flag}\``).join(', ')} behind it`;
  const expects = `\`off\`, or a comma list of \`address:port\`, such as \`0.0.0.0:8000, [::]:8000\`${flagsExpected}`;
  return {
    expects,
    parse: (given) => {
      if (given === 'off') return { value: [] };
      const entries = splitList(given);
      if (entries.length === 0) return { expected: expects };
      const found: Listener[] = [];
      for (const entry of entries) {
        const [place = '', ...flags] = entry.split(/\s+/);
        const foreign = flags.find((flag) => !available.includes(flag) && !NEUTRAL_FLAG.test(flag));
        if (foreign !== undefined) {
          return {
            expected: `other flags: \`${foreign}\` is not available for this listener in this version`,
          };
        }
        const listener = parseListener(place, flags);
        if (listener === undefined) return { expected: expects };
        found.push(listener);
      }
      return { value: found };
    },
    show: (value) => value.map(formatListener),
  };
}

function parseListener(place: string, flags: readonly string[]): Listener | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(place) ?? [];
  const address = bracketed ?? plain;
  const port = Number(digits);
  if (address === undefined || port > 65_535) return undefined;
  const listener = {
    address,
    port,
    flags,
    isSecure: flags.includes('ssl'),
    speaksHttp2: flags.includes('http2'),
    isStrict: flags.includes('strict'),
  };
  if (bracketed !== undefined) return isIPv6(address) ? listener : undefined;
  const isHostName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(address) && !/^[\d.]+$/.test(address);
  return isIPv4(address) || isHostName ? listener : undefined;
}

/** The listener as it is written in settings: `[::]:8000 reuseport`. */
export function formatListener(listener: Pick<Listener, 'address' | 'port' | 'flags'>): string {
  const address = isIPv6(listener.address) ? `[${listener.address}]` : listener.address;
  return [`${address}:${listener.port}`, ...listener.flags].join(' ');
}
