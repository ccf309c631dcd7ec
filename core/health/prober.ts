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
  /** Of the probes of healthy and unhealthy addresses; undefined where there are none. */
  #timers: readonly (NodeJS.Timeout | undefined)[] = [];
  #isStopped = false;
  #isAwake = false;

  constructor(settings: CheckedUpstream, upstream: ProbedUpstream) {
    this.#rules = compileProbeRules(settings);
    this.#upstream = upstream;
  }

  configure(settings: CheckedUpstream): void {
    this.#rules = compileProbeRules(settings);
    this.#halt();
    this.wakeUp();
  }

  /** There may be addresses now. The first probes follow at once. */
  wakeUp(): void {
    if (this.#isAwake || this.#isStopped) return;
    this.#isAwake = true;
    const { healthyIntervalMs, unhealthyIntervalMs } = this.#rules;
    this.#timers = [this.#repeat(healthyIntervalMs, true), this.#repeat(unhealthyIntervalMs, false)];
  }

  stop(): void {
    this.#isStopped = true;
    this.#halt();
  }

  #halt(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#isAwake = false;
  }

  #repeat(intervalMs: number, ofHealthy: boolean): NodeJS.Timeout | undefined {
    if (intervalMs === 0) return undefined;
    let isBusy = false;
    const round = async () => {
      // A round that takes longer than the interval is not overtaken by the next.
      if (isBusy) return;
      isBusy = true;
      await this.#probeAll(ofHealthy);
      isBusy = false;
    };
    void round();
    return setInterval(() => void round(), intervalMs).unref();
  }

  async #probeAll(ofHealthy: boolean): Promise<void> {
    const rules = this.#rules;
    const queue = this.#upstream
      .list()
      .filter(({ facts, health }) => facts.weight > 0 && health.isHealthy === ofHealthy);
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
