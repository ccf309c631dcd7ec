/** Keeps all upstreams of a node, for all of its workers: names are looked up and targets probed once. */
import type { UpstreamAddresses } from '../balancing/balancer.ts';
import type { LookUpHost } from '../dns/host-answer.ts';
import type { CheckedUpstream } from './check-rules.ts';
import type { UpstreamHealth } from './describe-health.ts';
import type { TargetSettings } from './kept-target.ts';
import { type KeeperEvents, KeptUpstream } from './kept-upstream.ts';

export interface KeptRows {
  readonly upstreams: readonly CheckedUpstream[];
  readonly targets: readonly (TargetSettings & { readonly upstream: { readonly id: string } })[];
}

/** What an operator says of a target's health. `address` is `ip:port`; undefined: all there are. */
export interface HealthOrder {
  readonly upstreamId: string;
  readonly targetId: string;
  readonly address: string | undefined;
  readonly isHealthy: boolean;
}

/** From an event of the configuration; undefined for one that is about something else. */
export function readHealthOrder(event: {
  readonly kind: string;
  readonly subject: string;
  readonly details: readonly string[];
}): HealthOrder | undefined {
  if (event.kind !== 'target_health') return undefined;
  const details = new Map(
    event.details.map((detail): [string, string] => {
      const equals = detail.indexOf('=');
      return [detail.slice(0, equals), detail.slice(equals + 1)];
    }),
  );
  return {
    upstreamId: details.get('upstream') ?? '',
    targetId: event.subject,
    address: details.get('address'),
    isHealthy: details.get('healthy') === 'true',
  };
}

export class UpstreamKeeper {
  readonly #lookUp: LookUpHost;
  readonly #events: KeeperEvents;
  readonly #kept = new Map<string, KeptUpstream>();
  #rows: KeptRows = { upstreams: [], targets: [] };

  constructor(lookUp: LookUpHost, events: KeeperEvents) {
    this.#lookUp = lookUp;
    this.#events = events;
  }

  /** Rows that have not changed are the same objects as before. */
  configure(rows: KeptRows): void {
    if (rows.upstreams === this.#rows.upstreams && rows.targets === this.#rows.targets) return;
    this.#rows = rows;
    const targets = Map.groupBy(rows.targets, ({ upstream }) => upstream.id);
    const gone = new Set(this.#kept.keys());
    for (const upstream of rows.upstreams) {
      gone.delete(upstream.id);
      let kept = this.#kept.get(upstream.id);
      if (kept === undefined) {
        kept = new KeptUpstream(upstream, this.#lookUp, this.#events);
        this.#kept.set(upstream.id, kept);
      }
      kept.configure(upstream, targets.get(upstream.id) ?? []);
    }
    for (const id of gone) {
      this.#kept.get(id)?.stop();
      this.#kept.delete(id);
    }
  }

  /** For a worker that starts. */
  listAddresses(): readonly UpstreamAddresses[] {
    return [...this.#kept.values()].map((kept) => kept.describe());
  }

  /** Of one upstream, or of all. */
  describeHealth(upstreamId?: string): readonly UpstreamHealth[] {
    if (upstreamId === undefined) return [...this.#kept.values()].map((kept) => kept.describeHealth());
    const kept = this.#kept.get(upstreamId);
    return kept === undefined ? [] : [kept.describeHealth()];
  }

  /** False when there is no such address. */
  setHealth({ upstreamId, targetId, address, isHealthy }: HealthOrder): boolean {
    return this.#kept.get(upstreamId)?.setHealth(targetId, address, isHealthy) === true;
  }

  stop(): void {
    for (const kept of this.#kept.values()) kept.stop();
    this.#kept.clear();
  }
}
