/**
 * Looks hosts up as `dns_*` settings say: the hosts file, then servers, in the order of record types. Keeps nothing;
 * what an answer is used for, and how long, is the business of whoever asks.
 */
import { Resolver } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  addressOf,
  type HostAddress,
  type HostAnswer,
  type LookUpHost,
  type RecordType,
} from './host-answer.ts';
import { createHostsFile } from './hosts-file.ts';
import { expandName, parseSearchList, type SearchList } from './search-list.ts';

export interface LookUpSettings {
  /** `ip:port`; none: those of resolv.conf. */
  readonly servers: readonly string[];
  readonly hostsFile: string;
  /** `LAST` is the type that had the answer before. */
  readonly order: readonly (RecordType | 'LAST')[];
  /** Instead of what answers say; undefined: what they say. */
  readonly validTtlSeconds: number | undefined;
  readonly notFoundTtlSeconds: number;
  readonly errorTtlSeconds: number;
}

/** The platform tells the TTL of addresses only: an SRV record that leads to an address lives as long as that. */
const SRV_TTL_SECONDS = 10;
const RESOLV_CONF = '/etc/resolv.conf';
const TIMEOUT_MS = 2000;
const TRIES = 2;
const MAX_REMEMBERED_TYPES = 10_000;
const SILENT = 'dns client error: no server answers';
const SILENCE: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECONNREFUSED']);

interface Records {
  readonly addresses: readonly HostAddress[];
  readonly ttlSeconds: number;
}

type NameAnswer =
  | { readonly type: RecordType; readonly records: Records }
  | { readonly missing: string }
  | { readonly failure: string };

export function createHostLookUp(settings: LookUpSettings): LookUpHost {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (settings.servers.length > 0) resolver.setServers(settings.servers);
  const hosts = createHostsFile(settings.hostsFile, () => performance.now());
  const search = readSearchList(settings.servers.length > 0);
  const lastTypes = new Map<string, RecordType>();

  const ask = async (name: string, type: RecordType): Promise<Records> => {
    if (type === 'SRV') return askForServices(resolver, name);
    const found = await askForAddresses(resolver, name, type);
    return { addresses: found.map(({ address }) => addressOf(address)), ttlSeconds: leastTtl(found) };
  };

  /**
   * All types of one name. What is said of services decides nothing where addresses are asked for as well: there are
   * servers that know the addresses of their own names alone (Docker's), or that never answer to other questions.
   */
  const askForName = async (name: string, types: ReadonlySet<RecordType>): Promise<NameAnswer> => {
    let failure: string | undefined;
    let missing: string | undefined;
    for (const type of types) {
      try {
        const records = await ask(name, type);
        if (records.addresses.length > 0) return { type, records };
        missing ??= 'no address';
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        const isMissing = code === 'ENOTFOUND';
        if (type !== 'SRV') {
          if (isMissing) return { missing: 'no such name' };
          // Nobody is there to be asked for the other types.
          if (SILENCE.has(code)) return { failure: SILENT };
        }
        if (isMissing || code === 'ENODATA') missing ??= isMissing ? 'no such name' : 'no address';
        else failure ??= SILENCE.has(code) ? SILENT : describeFailure(code);
      }
    }
    return failure === undefined ? { missing: missing ?? 'no address' } : { failure };
  };

  const askInOrder = async (host: string): Promise<HostAnswer> => {
    const types = typesInOrder(settings.order, lastTypes.get(host));
    let reason = 'no such name';
    let failure: string | undefined;
    for (const name of expandName(host, search)) {
      const answer = await askForName(name, types);
      if ('type' in answer) {
        const { type, records } = answer;
        if (lastTypes.size >= MAX_REMEMBERED_TYPES) lastTypes.clear();
        lastTypes.set(host, type);
        const ttlMs = (settings.validTtlSeconds ?? records.ttlSeconds) * 1000;
        return { kind: 'found', type, addresses: records.addresses, ttlMs };
      }
      if ('missing' in answer) reason = answer.missing;
      else failure ??= answer.failure;
      if (failure === SILENT) break;
    }
    return failure === undefined
      ? { kind: 'none', reason, ttlMs: settings.notFoundTtlSeconds * 1000 }
      : { kind: 'failed', reason: failure, ttlMs: settings.errorTtlSeconds * 1000 };
  };

  return (host, done) => {
    const written = hosts.find(host);
    if (written !== undefined) process.nextTick(done, written);
    else void askInOrder(host).then(done);
  };
}

function typesInOrder(order: LookUpSettings['order'], last: RecordType | undefined): ReadonlySet<RecordType> {
  return new Set(order.flatMap((type) => (type !== 'LAST' ? [type] : last === undefined ? [] : [last])));
}

/** The servers of the best priority, each with the addresses of its name. */
async function askForServices(resolver: Resolver, name: string): Promise<Records> {
  const found = await new Promise<readonly SrvLine[]>((resolve, reject) =>
    resolver.resolveSrv(name, (error, lines) => (error ? reject(error) : resolve(lines))),
  );
  const best = Math.min(...found.map(({ priority }) => priority));
  const groups = await Promise.all(
    found.filter(({ priority }) => priority === best).map((line) => askForServer(resolver, line)),
  );
  const ttls = groups.map(({ ttlSeconds }) => ttlSeconds);
  return { addresses: groups.flatMap(({ addresses }) => addresses), ttlSeconds: Math.min(...ttls) };
}

interface SrvLine {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

async function askForServer(resolver: Resolver, { name, port, weight }: SrvLine): Promise<Records> {
  const described = (ip: string): HostAddress => ({ ip, port, weight: Math.max(1, weight), srvName: name });
  if (isIP(name) !== 0) return { addresses: [described(name)], ttlSeconds: SRV_TTL_SECONDS };
  for (const type of ['A', 'AAAA'] as const) {
    const found = await askForAddresses(resolver, name, type).catch(() => []);
    if (found.length > 0)
      return { addresses: found.map(({ address }) => described(address)), ttlSeconds: leastTtl(found) };
  }
  return { addresses: [], ttlSeconds: SRV_TTL_SECONDS };
}

type Found = { readonly address: string; readonly ttl: number };

function askForAddresses(resolver: Resolver, name: string, type: 'A' | 'AAAA'): Promise<readonly Found[]> {
  return new Promise((resolve, reject) => {
    const done = (error: NodeJS.ErrnoException | null, found: readonly Found[]) =>
      error ? reject(error) : resolve(found);
    if (type === 'A') resolver.resolve4(name, { ttl: true }, done);
    else resolver.resolve6(name, { ttl: true }, done);
  });
}

const leastTtl = (found: readonly Found[]): number => Math.min(...found.map(({ ttl }) => ttl));

/** In the words of the reference, which operators search for. */
function describeFailure(code: string): string {
  switch (code) {
    case 'ESERVFAIL':
      return 'dns server error: 2 server failure';
    case 'EREFUSED':
      return 'dns server error: 5 refused';
    default:
      return `dns client error: ${code}`;
  }
}

/** Servers of an operator's own are asked for names as they are written. */
function readSearchList(hasOwnServers: boolean): SearchList {
  if (hasOwnServers) return { domains: [], ndots: 1 };
  try {
    return parseSearchList(readFileSync(RESOLV_CONF, 'utf8'));
  } catch {
    return { domains: [], ndots: 1 };
  }
}
