/**
 * One upstream as the data plane keeps it for all workers of the node: its targets' addresses, the shared memory that
 * holds their health, and the probes that look after them.
 */
import { type AddressFacts, addressKey } from '../balancing/address.ts';
import {
  exceedsThreshold,
  type HealthChange,
  makeUpstreamMemory,
  noteHealthChange,
  type UpstreamAddresses,
} from '../balancing/balancer.ts';
import { HealthCell, makeHealthMemory } from '../balancing/health-cell.ts';
import type { LookUpHost } from '../dns/host-answer.ts';
import { type CheckedUpstream, isChecked } from './check-rules.ts';
import type { TargetHealth, UpstreamHealth } from './describe-health.ts';
import { KeptTarget, type TargetSettings } from './kept-target.ts';
import { Prober } from './prober.ts';

export interface KeeperEvents {
  /** Workers shall be told. */
  onAddresses(addresses: UpstreamAddresses): void;
  /** For the operator. */
  onHealth(change: HealthChange): void;
}

interface KeptAddress {
  facts: AddressFacts;
  readonly health: HealthCell;
}

export class KeptUpstream {
  readonly #lookUp: LookUpHost;
  readonly #events: KeeperEvents;
  readonly #memory = makeUpstreamMemory();
  readonly #prober: Prober;
  readonly #targets = new Map<string, KeptTarget>();
  #settings: CheckedUpstream;
  #addresses = new Map<string, KeptAddress>();
  #isGathered = false;
  #isStopped = false;

  constructor(settings: CheckedUpstream, lookUp: LookUpHost, events: KeeperEvents) {
    this.#settings = settings;
    this.#lookUp = lookUp;
    this.#events = events;
    this.#prober = new Prober(settings, {
      list: () => [...this.#addresses.values()],
      onChange: ({ facts }, isHealthy, reason) => this.#announce(facts, isHealthy, reason),
    });
  }

  get name(): string {
    return this.#settings.name;
  }

  get isChecked(): boolean {
    return isChecked(this.#settings.healthchecks);
  }

  configure(settings: CheckedUpstream, targets: readonly TargetSettings[]): void {
    if (settings !== this.#settings) {
      this.#settings = settings;
      this.#prober.configure(settings);
    }
    if (this.#takeTargets(targets)) this.#gather();
  }

  describe(): UpstreamAddresses {
    return {
      upstreamId: this.#settings.id,
      memory: this.#memory,
      isResolving: [...this.#targets.values()].some(({ isResolving }) => isResolving),
      addresses: [...this.#addresses.values()].map(({ facts }) => facts),
    };
  }

  describeHealth(): UpstreamHealth {
    const { id, name, healthchecks } = this.#settings;
    const weighed = [...this.#addresses.values()].map(({ facts, health }) => ({
      weight: facts.weight,
      health,
    }));
    return {
      id,
      name,
      isChecked: this.isChecked,
      isServing: exceedsThreshold(weighed, healthchecks.threshold ?? 0),
      targets: [...this.#targets.values()].map((target) => this.#describeTarget(target)),
    };
  }

  /** An operator's word. `address` is `ip:port`; undefined: all of the target. False when there is none such. */
  setHealth(targetId: string, address: string | undefined, isHealthy: boolean): boolean {
    let found = false;
    for (const { facts, health } of this.#addresses.values()) {
      if (facts.targetId !== targetId) continue;
      if (address !== undefined && addressText(facts) !== address) continue;
      found = true;
      if (health.set(isHealthy)) this.#announce(facts, isHealthy, 'manual');
    }
    return found;
  }

  stop(): void {
    this.#isStopped = true;
    this.#prober.stop();
    for (const target of this.#targets.values()) target.stop();
  }

  /** True when something is not as before. */
  #takeTargets(given: readonly TargetSettings[]): boolean {
    let hasChanged = !this.#isGathered;
    const left = new Map(this.#targets);
    for (const settings of given) {
      const known = this.#targets.get(settings.id);
      left.delete(settings.id);
      if (known?.settings === settings) continue;
      hasChanged = true;
      if (known !== undefined && known.settings.target === settings.target) {
        known.settings = settings;
        continue;
      }
      known?.stop();
      const onChange = () => this.#isStopped || this.#gather();
      this.#targets.set(settings.id, new KeptTarget(settings, this.#lookUp, onChange));
    }
    for (const [id, target] of left) {
      hasChanged = true;
      target.stop();
      this.#targets.delete(id);
    }
    return hasChanged;
  }

  /** Health outlives changes around an address, and goes with it. */
  #gather(): void {
    const before = this.#addresses;
    this.#isGathered = true;
    this.#addresses = new Map();
    for (const target of this.#targets.values()) {
      for (const plain of target.listAddresses()) {
        const key = addressKey(plain);
        if (this.#addresses.has(key)) continue;
        const known = before.get(key);
        const memory = known?.facts.health ?? makeHealthMemory();
        const facts: AddressFacts = { ...plain, health: memory };
        this.#addresses.set(key, { facts, health: known?.health ?? new HealthCell(memory) });
      }
    }
    this.#events.onAddresses(this.describe());
    this.#prober.probeNew([...this.#addresses].flatMap(([key, kept]) => (before.has(key) ? [] : [kept])));
  }

  #announce(facts: AddressFacts, isHealthy: boolean, reason: HealthChange['reason']): void {
    noteHealthChange(this.#memory);
    this.#events.onHealth({ upstream: this.name, address: addressKey(facts), isHealthy, reason });
  }

  #describeTarget(target: KeptTarget): TargetHealth {
    const { host, port, weight, problem, recordType, isResolving } = target;
    const addresses = [...this.#addresses.values()].filter(
      ({ facts }) => facts.targetId === target.settings.id,
    );
    return {
      id: target.settings.id,
      host,
      port,
      weight,
      records: problem ?? recordType,
      isResolving,
      hasProblem: problem !== undefined,
      addresses: addresses.map(({ facts, health }) => ({
        ip: facts.ip,
        port: facts.port,
        weight: facts.weight,
        isHealthy: health.isHealthy,
      })),
    };
  }
}

function addressText({ ip, port }: AddressFacts): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
