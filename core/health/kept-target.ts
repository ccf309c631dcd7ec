/** One target: the addresses its name stands for, asked for again whenever the answer has grown old. */
import { isIP } from 'node:net';
import type { AddressFacts } from '../balancing/address.ts';
import { addressOf, type HostAddress, type HostAnswer, type LookUpHost } from '../dns/host-answer.ts';
import { readTarget } from '../entities/target-address.ts';

/** What is kept of a target's row. */
export interface TargetSettings {
  readonly id: string;
  /** `host:port`. */
  readonly target: string;
  readonly weight: number | null;
}

export type PlainAddress = Omit<AddressFacts, 'health'>;

/** However short the time an answer may be used: the servers of names shall not be asked for every request. */
const MIN_REFRESH_MS = 1000;
const MAX_REFRESH_MS = 3_600_000;
const DEFAULT_WEIGHT = 100;

export class KeptTarget {
  readonly host: string;
  readonly port: number;
  /** The first look-up is under way. */
  isResolving = false;
  /** Why it has no address; undefined while it has one or none was asked for yet. */
  problem: string | undefined;
  /** Type of the records behind the addresses. */
  recordType: string;
  settings: TargetSettings;

  readonly #lookUp: LookUpHost;
  readonly #onChange: () => void;
  #found: readonly HostAddress[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `onChange` hears of other addresses than before, never before the constructor has returned. */
  constructor(settings: TargetSettings, lookUp: LookUpHost, onChange: () => void) {
    const { host, port } = readTarget(settings.target);
    this.settings = settings;
    this.host = host;
    this.port = port;
    this.#lookUp = lookUp;
    this.#onChange = onChange;
    const family = isIP(host);
    this.recordType = family === 6 ? 'AAAA' : 'A';
    if (family !== 0) this.#found = [addressOf(host)];
    else {
      this.isResolving = true;
      this.#refresh();
    }
  }

  get weight(): number {
    return this.settings.weight ?? DEFAULT_WEIGHT;
  }

  listAddresses(): readonly PlainAddress[] {
    const { host, weight } = this;
    return this.#found.map(({ ip, port, weight: ofRecord, srvName }) => ({
      targetId: this.settings.id,
      host,
      ip,
      port: port === 0 ? this.port : port,
      weight: this.recordType === 'SRV' && weight > 0 ? ofRecord : weight,
      srvName,
    }));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #refresh(): void {
    this.#lookUp(this.host, (answer) => this.#settle(answer));
  }

  #settle(answer: HostAnswer): void {
    if (this.#isStopped) return;
    const before = describe(this.#found);
    const wasResolving = this.isResolving;
    this.isResolving = false;
    if (answer.kind === 'found') {
      this.#found = answer.addresses;
      this.recordType = answer.type;
      this.problem = undefined;
    } else if (answer.kind === 'none' || this.#found.length === 0) {
      this.#found = [];
      this.problem = answer.reason;
    }
    const pauseMs = Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, answer.ttlMs));
    this.#timer = setTimeout(() => this.#refresh(), pauseMs).unref();
    if (wasResolving || describe(this.#found) !== before) this.#onChange();
  }
}

/** In any order: servers of names turn it round with every answer. */
function describe(addresses: readonly HostAddress[]): string {
  return addresses
    .map((address) => JSON.stringify(address))
    .sort()
    .join();
}
