/** Probes the addresses of one upstream, the healthy and the others each at their own interval, once for the node. */
import type { AddressFacts } from '../balancing/address.ts';
import type { FailureKind, HealthCell } from '../balancing/health-cell.ts';
import { type CheckedUpstream, compileProbeRules, type ProbeRules } from './check-rules.ts';
import { type ProbeOutcome, probe } from './probe.ts';

export interface ProbedAddress {
  readonly facts: AddressFacts;
  readonly health: HealthCell;
}

export interface ProbedUpstream {
  list(): readonly ProbedAddress[];
  onChange(address: ProbedAddress, isHealthy: boolean, reason: FailureKind | 'successes'): void;
}

export class Prober {
  readonly #upstream: ProbedUpstream;
  #rules: ProbeRules;
  /** Of the probes of healthy and unhealthy addresses. */
  #timers: readonly NodeJS.Timeout[] = [];
  #isStopped = false;

  constructor(settings: CheckedUpstream, upstream: ProbedUpstream) {
    this.#rules = compileProbeRules(settings);
    this.#upstream = upstream;
    this.#start();
  }

  configure(settings: CheckedUpstream): void {
    this.#rules = compileProbeRules(settings);
    this.#halt();
    this.#start();
    void this.#probeAll(this.#upstream.list());
  }

  /** These have not been probed yet: they do not have to wait for their turn. */
  probeNew(addresses: readonly ProbedAddress[]): void {
    if (addresses.length > 0) void this.#probeAll(addresses);
  }

  stop(): void {
    this.#isStopped = true;
    this.#halt();
  }

  #start(): void {
    this.#timers = [true, false].flatMap((ofHealthy) => {
      const intervalMs = this.#intervalOf(ofHealthy);
      return intervalMs === 0 ? [] : [this.#repeat(intervalMs, ofHealthy)];
    });
  }

  #halt(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  #intervalOf(isHealthy: boolean): number {
    return isHealthy ? this.#rules.healthyIntervalMs : this.#rules.unhealthyIntervalMs;
  }

  #repeat(intervalMs: number, ofHealthy: boolean): NodeJS.Timeout {
    let isBusy = false;
    const round = async () => {
      // A round that takes longer than the interval is not overtaken by the next.
      if (isBusy) return;
      isBusy = true;
      await this.#probeAll(this.#upstream.list().filter(({ health }) => health.isHealthy === ofHealthy));
      isBusy = false;
    };
    return setInterval(() => void round(), intervalMs).unref();
  }

  async #probeAll(addresses: readonly ProbedAddress[]): Promise<void> {
    const rules = this.#rules;
    const queue = addresses.filter(
      ({ facts, health }) => facts.weight > 0 && this.#intervalOf(health.isHealthy) > 0,
    );
    const work = async () => {
      for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
        const outcome = await probe(rules, address.facts);
        // Rules that were changed meanwhile do not speak of this probe.
        if (this.#isStopped || rules !== this.#rules) return;
        this.#judge(address, outcome, rules);
      }
    };
    await Promise.all(Array.from({ length: Math.min(rules.concurrency, queue.length) }, work));
  }

  #judge(address: ProbedAddress, outcome: ProbeOutcome, { outcome: rules }: ProbeRules): void {
    const failure = failureOf(outcome, rules.unhealthyStatuses);
    if (failure !== undefined) {
      if (address.health.noteFailure(failure, rules[failure]))
        this.#upstream.onChange(address, false, failure);
    } else if (outcome === 'connected' || rules.healthyStatuses.has(outcome as number)) {
      if (address.health.noteSuccess(rules.successes)) this.#upstream.onChange(address, true, 'successes');
    }
  }
}

function failureOf(outcome: ProbeOutcome, unhealthy: ReadonlySet<number>): FailureKind | undefined {
  if (outcome === 'refused') return 'tcp_failures';
  if (outcome === 'timeout') return 'timeouts';
  return typeof outcome === 'number' && unhealthy.has(outcome) ? 'http_failures' : undefined;
}
