/**
 * Turns the host of an origin into addresses to connect to: IP literals as they are, names through the system's
 * resolver (hosts file first) with a short cache, one look-up at a time per name, answers taken in turn.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { GatewayError } from '../errors.ts';

const FOUND_TTL_MS = 10_000;
const FAILED_TTL_MS = 1_000;
/** Names come from configuration; the bound only keeps a long life of changing names from adding up. */
const MAX_NAMES = 10_000;

export type LookupAll = (
  host: string,
  done: (error: Error | null, addresses: readonly string[]) => void,
) => void;

/** `address` is undefined exactly when `error` is set. */
export type AddressListener = (address: string | undefined, error: GatewayError | undefined) => void;

interface NameEntry {
  addresses: readonly string[];
  error: GatewayError | undefined;
  /** 0 before the first answer. */
  validUntilMs: number;
  nextIndex: number;
  /** Undefined while no look-up is under way. */
  waiting: AddressListener[] | undefined;
}

const lookupInSystem: LookupAll = (host, done) => {
  lookup(host, { all: true }, (error, found) => {
    if (error) done(error, []);
    else done(null, preferIpv4(found));
  });
};

/**
 * A before AAAA, as in the default `dns_order` (contract/proxy.md section 8.1). Taking both in turn would send every
 * other request for `localhost` to ::1, where few upstreams listen.
 */
export function preferIpv4(found: readonly { address: string; family: number }[]): readonly string[] {
  const ipv4 = found.filter((entry) => entry.family === 4);
  return (ipv4.length > 0 ? ipv4 : found).map((entry) => entry.address);
}

export class AddressResolver {
  private readonly names = new Map<string, NameEntry>();
  private readonly lookupAll: LookupAll;
  private readonly nowMs: () => number;

  constructor(lookupAll: LookupAll = lookupInSystem, nowMs: () => number = () => performance.now()) {
    this.lookupAll = lookupAll;
    this.nowMs = nowMs;
  }

  /** The next address of `host` when it is known right now, without waiting. */
  nextKnown(host: string): string | undefined {
    if (isIP(host) !== 0) return host;
    const entry = this.names.get(host);
    if (entry === undefined || entry.validUntilMs <= this.nowMs()) return undefined;
    return takeTurn(entry);
  }

  /**
   * The next address of `host`, looked up when it is not known. `listener` may be called synchronously. The error
   * is GW_NAME_RESOLUTION_FAILED (contract/proxy.md section 6.3).
   */
  resolve(host: string, listener: AddressListener): void {
    const known = this.nextKnown(host);
    if (known !== undefined) {
      listener(known, undefined);
      return;
    }
    const entry = this.entryOf(host);
    if (entry.error !== undefined && entry.validUntilMs > this.nowMs()) {
      listener(undefined, entry.error);
      return;
    }
    if (entry.waiting !== undefined) {
      entry.waiting.push(listener);
      return;
    }
    entry.waiting = [listener];
    this.lookupAll(host, (error, addresses) => this.settle(host, entry, error, addresses));
  }

  private entryOf(host: string): NameEntry {
    let entry = this.names.get(host);
    if (entry === undefined) {
      if (this.names.size >= MAX_NAMES) this.names.clear();
      entry = { addresses: [], error: undefined, validUntilMs: 0, nextIndex: 0, waiting: undefined };
      this.names.set(host, entry);
    }
    return entry;
  }

  private settle(host: string, entry: NameEntry, error: Error | null, addresses: readonly string[]): void {
    const failed = error !== null || addresses.length === 0;
    entry.addresses = addresses;
    entry.error = failed
      ? new GatewayError(
          'GW_NAME_RESOLUTION_FAILED',
          `${host}: ${error?.message ?? 'no address'}`,
          error ?? undefined,
        )
      : undefined;
    entry.validUntilMs = this.nowMs() + (failed ? FAILED_TTL_MS : FOUND_TTL_MS);
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    for (const listener of waiting) {
      if (entry.error !== undefined) listener(undefined, entry.error);
      else listener(takeTurn(entry), undefined);
    }
  }
}

function takeTurn(entry: NameEntry): string | undefined {
  if (entry.addresses.length === 0) return undefined;
  const address = entry.addresses[entry.nextIndex % entry.addresses.length];
  entry.nextIndex = (entry.nextIndex + 1) % entry.addresses.length;
  return address;
}
