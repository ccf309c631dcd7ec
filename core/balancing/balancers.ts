/** The balancers of one worker, by the names services call them. They live on as the configuration changes around them. */
import { Balancer, type OnHealthChange, type UpstreamAddresses } from './balancer.ts';
import type { UpstreamSettings } from './balancer-rules.ts';

export class Balancers {
  readonly #onHealthChange: OnHealthChange;
  readonly #addresses = new Map<string, UpstreamAddresses>();
  #byId = new Map<string, Balancer>();
  #byName = new Map<string, Balancer>();

  constructor(onHealthChange: OnHealthChange) {
    this.#onHealthChange = onHealthChange;
  }

  find(name: string): Balancer | undefined {
    return this.#byName.get(name);
  }

  /** All upstreams there are. */
  configure(upstreams: readonly UpstreamSettings[]): void {
    const before = this.#byId;
    this.#byId = new Map();
    this.#byName = new Map();
    for (const upstream of upstreams) {
      const balancer = before.get(upstream.id) ?? this.#create(upstream);
      balancer.configure(upstream);
      this.#byId.set(upstream.id, balancer);
      this.#byName.set(upstream.name, balancer);
    }
    for (const [id, balancer] of before) {
      if (this.#byId.has(id)) continue;
      this.#addresses.delete(id);
      balancer.wakeUp();
    }
  }

  /** Addresses of these upstreams; they may come before the upstreams themselves. */
  take(given: readonly UpstreamAddresses[]): void {
    for (const each of given) {
      this.#addresses.set(each.upstreamId, each);
      this.#byId.get(each.upstreamId)?.take(each);
    }
  }

  #create(upstream: UpstreamSettings): Balancer {
    const balancer = new Balancer(upstream, this.#onHealthChange);
    const addresses = this.#addresses.get(upstream.id);
    if (addresses !== undefined) balancer.take(addresses);
    return balancer;
  }
}
