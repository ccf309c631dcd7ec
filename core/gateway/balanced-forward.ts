/**
 * A request for an upstream with targets: each attempt goes where the balancer says, with the Host header of that
 * target, and the balancer hears what became of it.
 */
import type { BalancedAddress } from '../balancing/address.ts';
import type { Balancer } from '../balancing/balancer.ts';
import type { ErrorCode } from '../errors.ts';
import type { RequestBody } from '../http/request-body.ts';
import type {
  ForwardObserver,
  ForwardRequest,
  PeerChoice,
  UpstreamOrigin,
} from '../upstream/forward-request.ts';
import { hashRequest } from './hash-value.ts';
import type { RequestFlow } from './request-flow.ts';
import type { UpstreamPlan } from './route-plan.ts';
import { originNamed } from './upstream-origin.ts';

const NOTHING_TRIED: readonly BalancedAddress[] = Object.freeze([]);
const TIMEOUTS: ReadonlySet<ErrorCode> = new Set([
  'GW_UPSTREAM_CONNECT_TIMEOUT',
  'GW_UPSTREAM_READ_TIMEOUT',
  'GW_UPSTREAM_WRITE_TIMEOUT',
]);

/** What a request consists of wherever it goes; `writeHead` makes it for one Host header. */
export interface BalancedParts {
  readonly method: string;
  readonly body: RequestBody | undefined;
  readonly chunkedBody: boolean;
  readonly upgrade: RequestBody | undefined;
  readonly observer: ForwardObserver | undefined;
  writeHead(host: string): string;
  /** The client's Host, where it is kept and sent as the server name. */
  readonly keptHost: string | undefined;
}

export class BalancedForward implements ForwardRequest, PeerChoice {
  readonly method: string;
  readonly body: RequestBody | undefined;
  readonly chunkedBody: boolean;
  readonly upgrade: RequestBody | undefined;
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly observer: ForwardObserver | undefined;
  readonly peers: PeerChoice = this;
  origin: UpstreamOrigin;
  head = '';

  readonly #plan: UpstreamPlan;
  readonly #balancer: Balancer;
  readonly #parts: BalancedParts;
  readonly #hash: number;
  #host = '';
  #tried: BalancedAddress[] | undefined;
  #current: BalancedAddress | undefined;
  #startedAtMs = 0;

  constructor(flow: RequestFlow, plan: UpstreamPlan, balancer: Balancer, parts: BalancedParts) {
    this.method = parts.method;
    this.body = parts.body;
    this.chunkedBody = parts.chunkedBody;
    this.upgrade = parts.upgrade;
    this.observer = parts.observer;
    this.retries = plan.retries;
    this.connectTimeoutMs = plan.connectTimeoutMs;
    this.writeTimeoutMs = plan.writeTimeoutMs;
    this.readTimeoutMs = plan.readTimeoutMs;
    this.origin = plan.origin;
    this.#plan = plan;
    this.#balancer = balancer;
    this.#parts = parts;
    this.#hash = balancer.rules.algorithm === 'consistent-hashing' ? hashRequest(flow, balancer.rules) : 0;
  }

  nextPeer(): string | undefined {
    this.#leave();
    const address = this.#balancer.pick(this.#hash, this.#tried ?? NOTHING_TRIED);
    if (address === undefined) return undefined;
    const peer = this.#plan.peerAt(address, this.#balancer.rules);
    const { keptHost } = this.#parts;
    this.origin = keptHost === undefined ? peer.origin : originNamed(peer.origin, keptHost);
    if (peer.hostHeader !== this.#host) {
      this.#host = peer.hostHeader;
      // Throws when a plugin has set what cannot be sent: nothing is counted yet.
      this.head = this.#parts.writeHead(peer.hostHeader);
    }
    address.active++;
    this.#current = address;
    this.#startedAtMs = this.#balancer.startClock();
    return address.facts.ip;
  }

  awaitPeer(listener: () => void): boolean {
    return this.#balancer.awaitAddresses(listener);
  }

  onAttemptFailed(code: ErrorCode): void {
    const address = this.#current;
    if (address === undefined) return;
    this.#tried ??= [];
    this.#tried.push(address);
    this.#balancer.onFailure(address, TIMEOUTS.has(code));
  }

  onAttemptAnswered(status: number): void {
    const address = this.#current;
    if (address === undefined) return;
    if (this.#startedAtMs > 0) this.#balancer.noteLatency(address, this.#startedAtMs);
    this.#balancer.onStatus(address, status);
  }

  onDone(): void {
    this.#leave();
  }

  #leave(): void {
    if (this.#current !== undefined) this.#current.active--;
    this.#current = undefined;
  }
}
