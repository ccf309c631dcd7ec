/**
 * Spreads the requests of one worker for one upstream over its addresses. Those are told to it, names looked up and
 * health shared by all workers of the node; it chooses, and tells what became of each request.
 */
import { type AddressFacts, addressKey, BalancedAddress } from './address.ts';
import type { Algorithm } from './algorithms/algorithm.ts';
import { ALGORITHMS } from './algorithms/by-name.ts';
import { type BalancerRules, compileRules, type UpstreamSettings } from './balancer-rules.ts';
import type { FailureKind } from './health-cell.ts';

/** What a node knows of an upstream's targets at a moment. */
export interface UpstreamAddresses {
  readonly upstreamId: string;
  /** As `makeUpstreamMemory` has made it. */
  readonly memory: SharedArrayBuffer;
  /** Some names have not been looked up yet. */
  readonly isResolving: boolean;
  readonly addresses: readonly AddressFacts[];
}

const HEALTH_VERSION = 0;
const TURN = 1;
const MEMORY_LENGTH = 2;

/** Shared by all threads: a number that changes with the health of any address, and one that counts turns. */
export function makeUpstreamMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(MEMORY_LENGTH * Int32Array.BYTES_PER_ELEMENT);
}

export function noteHealthChange(memory: SharedArrayBuffer): void {
  Atomics.add(new Int32Array(memory), HEALTH_VERSION, 1);
}

export interface HealthChange {
  readonly upstream: string;
  readonly address: string;
  readonly isHealthy: boolean;
  readonly reason: FailureKind | 'successes' | 'manual';
}

export type OnHealthChange = (change: HealthChange) => void;

export class Balancer {
  rules: BalancerRules;
  addresses: readonly BalancedAddress[] = [];
  readonly #onHealthChange: OnHealthChange;
  readonly #random: () => number;
  #settings: UpstreamSettings;
  #algorithm: Algorithm;
  #memory: Int32Array = new Int32Array(MEMORY_LENGTH);
  #seenHealth = 0;
  #isServing = false;
  #isResolving = true;
  #waiting: (() => void)[] = [];

  constructor(settings: UpstreamSettings, onHealthChange: OnHealthChange, random = Math.random) {
    this.#settings = settings;
    this.rules = compileRules(settings);
    this.#onHealthChange = onHealthChange;
    this.#random = random;
    this.#algorithm = this.#arrange();
  }

  /** Undefined when no address may be used. `tried` are those that have failed this request already. */
  pick(hash: number, tried: readonly BalancedAddress[]): BalancedAddress | undefined {
    if (this.#memory[HEALTH_VERSION] !== this.#seenHealth) this.#algorithm = this.#arrange();
    return this.#isServing ? this.#algorithm.pick(hash, tried) : undefined;
  }

  /** Calls back once names have been looked up. False when there is none to wait for. */
  awaitAddresses(listener: () => void): boolean {
    if (!this.#isResolving || this.#isServing) return false;
    this.#waiting.push(listener);
    return true;
  }

  /** The same upstream with other settings, or the same ones. */
  configure(settings: UpstreamSettings): void {
    if (settings === this.#settings) return;
    const isSame = JSON.stringify(settings) === JSON.stringify(this.#settings);
    this.#settings = settings;
    if (isSame) return;
    this.rules = compileRules(settings);
    this.#algorithm = this.#arrange();
  }

  take({ memory, isResolving, addresses }: UpstreamAddresses): void {
    const known = new Map(this.addresses.map((address) => [address.key, address]));
    this.addresses = addresses.map((facts) => {
      const address = known.get(addressKey(facts));
      if (address === undefined) return new BalancedAddress(facts);
      address.update(facts);
      return address;
    });
    this.#memory = new Int32Array(memory);
    this.#isResolving = isResolving;
    this.#algorithm = this.#arrange();
    if (isResolving && !this.#isServing) return;
    this.wakeUp();
  }

  /** Whoever waits for addresses looks again. */
  wakeUp(): void {
    this.#isResolving = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener();
  }

  /** When an attempt begins that `noteLatency` is to hear of; 0 where nobody wants to know. */
  startClock(): number {
    return this.rules.algorithm === 'latency' ? performance.now() : 0;
  }

  /** The head of an answer is there. */
  noteLatency(address: BalancedAddress, startedAtMs: number): void {
    const now = performance.now();
    address.noteLatency(now - startedAtMs, now);
  }

  onStatus(address: BalancedAddress, status: number): void {
    const { passive } = this.rules;
    if (passive.healthyStatuses.has(status)) {
      if (address.health.noteSuccess(passive.successes)) this.#announce(address, true, 'successes');
    } else if (passive.unhealthyStatuses.has(status)) this.#noteFailure(address, 'http_failures');
  }

  onFailure(address: BalancedAddress, isTimeout: boolean): void {
    this.#noteFailure(address, isTimeout ? 'timeouts' : 'tcp_failures');
  }

  #noteFailure(address: BalancedAddress, kind: FailureKind): void {
    if (address.health.noteFailure(kind, this.rules.passive[kind])) this.#announce(address, false, kind);
  }

  #announce(address: BalancedAddress, isHealthy: boolean, reason: HealthChange['reason']): void {
    Atomics.add(this.#memory, HEALTH_VERSION, 1);
    this.#onHealthChange({ upstream: this.rules.name, address: address.key, isHealthy, reason });
  }

  #arrange(): Algorithm {
    this.#seenHealth = Atomics.load(this.#memory, HEALTH_VERSION);
    const { algorithm, slots, threshold } = this.rules;
    this.#isServing = exceedsThreshold(this.addresses, threshold);
    return ALGORITHMS[algorithm](this.addresses, {
      slots,
      random: this.#random,
      nextTurn: () => Atomics.add(this.#memory, TURN, 1) >>> 0,
      nowMs: () => performance.now(),
    });
  }
}

/** Whether what is healthy of the weight is more than so many per cent of it. */
export function exceedsThreshold(
  addresses: readonly Pick<BalancedAddress, 'weight' | 'health'>[],
  threshold: number,
): boolean {
  let total = 0;
  let available = 0;
  for (const { weight, health } of addresses) {
    total += weight;
    if (health.isHealthy) available += weight;
  }
  return total > 0 && available > 0 && (available / total) * 100 > threshold;
}
