/**
 * Turns the host of an origin into addresses to connect to: IP literals as they are, names as they are looked up, one
 * look-up at a time per name, for as long as the answer may be used. An answer that has grown old serves on while a
 * new one is fetched, so no request of a name in use waits for a server.
 */
import { isIP } from 'node:net';
import { takeTurns } from '../balancing/turns.ts';
import { addressOf, type HostAddress, type HostAnswer, type LookUpHost } from '../dns/host-answer.ts';
import { GatewayError } from '../errors.ts';

/** Names come from configuration; the bound only keeps a long life of changing names from adding up. */
const MAX_NAMES = 10_000;

/** `address` is undefined exactly when `error` is set. */
export type AddressListener = (address: HostAddress | undefined, error: GatewayError | undefined) => void;

export interface ResolverOptions {
  readonly lookUp: LookUpHost;
  /** How long an answer serves beyond its time while a new one is not there. Default 0. */
  readonly staleMs?: number;
  readonly maxNames?: number;
  readonly nowMs?: () => number;
}

interface NameEntry {
  addresses: readonly HostAddress[];
  /** Indexes of `addresses` in the order of their turns. */
  turns: readonly number[];
  nextTurn: number;
  error: GatewayError | undefined;
  /** 0 before the first answer. */
  validUntilMs: number;
  usableUntilMs: number;
  /** Undefined while no look-up is under way. */
  waiting: AddressListener[] | undefined;
}

export class AddressResolver {
  private readonly names = new Map<string, NameEntry>();
  private readonly lookUp: LookUpHost;
  private readonly staleMs: number;
  private readonly maxNames: number;
  private readonly nowMs: () => number;

  constructor({
    lookUp,
    staleMs = 0,
    maxNames = MAX_NAMES,
    nowMs = () => performance.now(),
  }: ResolverOptions) {
    this.lookUp = lookUp;
    this.staleMs = staleMs;
    this.maxNames = maxNames;
    this.nowMs = nowMs;
  }

  /** The next address of `host` when one can be used right now. */
  nextKnown(host: string): HostAddress | undefined {
    let entry = this.names.get(host);
    if (entry === undefined) {
      if (isIP(host) === 0) return undefined;
      entry = this.entryOf(host);
      entry.addresses = [addressOf(host)];
      entry.turns = [0];
      entry.validUntilMs = Number.POSITIVE_INFINITY;
    }
    if (entry.turns.length === 0) return undefined;
    if (entry.validUntilMs !== Number.POSITIVE_INFINITY) {
      const now = this.nowMs();
      if (entry.validUntilMs <= now) {
        if (entry.usableUntilMs <= now) return undefined;
        if (entry.waiting === undefined) this.refresh(host, entry);
      }
    }
    return takeTurn(entry);
  }

  /** The next address of `host`, looked up when none is known. `listener` may be called synchronously. */
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
    if (entry.waiting === undefined) this.refresh(host, entry);
    entry.waiting!.push(listener);
  }

  private refresh(host: string, entry: NameEntry): void {
    entry.waiting = [];
    this.lookUp(host, (answer) => this.settle(host, entry, answer));
  }

  private entryOf(host: string): NameEntry {
    let entry = this.names.get(host);
    if (entry === undefined) {
      if (this.names.size >= this.maxNames) this.names.clear();
      entry = {
        addresses: [],
        turns: [],
        nextTurn: 0,
        error: undefined,
        validUntilMs: 0,
        usableUntilMs: 0,
        waiting: undefined,
      };
      this.names.set(host, entry);
    }
    return entry;
  }

  private settle(host: string, entry: NameEntry, answer: HostAnswer): void {
    const now = this.nowMs();
    entry.validUntilMs = now + answer.ttlMs;
    if (answer.kind === 'found') {
      entry.addresses = answer.addresses;
      entry.turns = takeTurns(answer.addresses.map(({ weight }) => weight));
      entry.error = undefined;
      // An answer that may be used once is not kept for anybody else.
      entry.usableUntilMs = answer.ttlMs === 0 ? now : entry.validUntilMs + this.staleMs;
    } else if (answer.kind === 'none' || entry.usableUntilMs <= now) {
      entry.addresses = [];
      entry.turns = [];
      entry.error = errorOf(host, answer);
    }
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    for (const listener of waiting) {
      if (entry.error !== undefined) listener(undefined, entry.error);
      else listener(takeTurn(entry), undefined);
    }
  }
}

/** Source of the two: contract/proxy.md section 6.3. */
function errorOf(
  host: string,
  { kind, reason }: Extract<HostAnswer, { kind: 'none' | 'failed' }>,
): GatewayError {
  const detail = `${host}: ${reason}`;
  if (kind === 'none') return new GatewayError('GW_NAME_RESOLUTION_FAILED', detail);
  const shown = `failed the initial dns/balancer resolve for '${host}' with: ${reason}`;
  return new GatewayError('GW_RESOLVER_FAILED', detail, undefined, shown);
}

function takeTurn(entry: NameEntry): HostAddress {
  const turn = entry.turns[entry.nextTurn] as number;
  entry.nextTurn = entry.nextTurn + 1 < entry.turns.length ? entry.nextTurn + 1 : 0;
  return entry.addresses[turn] as HostAddress;
}
