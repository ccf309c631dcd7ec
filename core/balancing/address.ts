/** One address that requests for an upstream can go to, as one worker sees it. */
import { HealthCell } from './health-cell.ts';

/** What all workers of a node are told of an address; the memory under `health` is shared by them. */
export interface AddressFacts {
  readonly targetId: string;
  /** Of the target: a name or an address without brackets. */
  readonly host: string;
  readonly ip: string;
  readonly port: number;
  /** 0 keeps requests away. */
  readonly weight: number;
  readonly srvName: string;
  readonly health: SharedArrayBuffer;
}

export class BalancedAddress {
  facts: AddressFacts;
  weight: number;
  readonly health: HealthCell;
  /** Tells addresses of an upstream apart, the same on every node. */
  readonly key: string;
  /** Requests of this worker that it has not answered to the end. */
  active = 0;
  /** Moving average of the time to the head of an answer; 0 before the first. */
  latencyMs = 0;
  latencyAtMs = 0;

  constructor(facts: AddressFacts) {
    this.facts = facts;
    this.weight = facts.weight;
    this.health = new HealthCell(facts.health);
    this.key = addressKey(facts);
  }

  /** The same address, perhaps of another target or weight. Requests that are under way go on counting. */
  update(facts: AddressFacts): void {
    this.facts = facts;
    this.weight = facts.weight;
  }

  /** The average fades while nothing is asked: a slow answer does not keep requests away for ever. */
  fadedLatencyMs(nowMs: number): number {
    return this.latencyMs * Math.exp((this.latencyAtMs - nowMs) / DECAY_MS);
  }

  /** Weighs with an average that forgets within some seconds; a slow answer counts at once, a fast one by and by. */
  noteLatency(tookMs: number, nowMs: number): void {
    const keeps = Math.exp((this.latencyAtMs - nowMs) / DECAY_MS);
    const isPeak = tookMs > this.latencyMs;
    this.latencyMs = isPeak ? tookMs : this.latencyMs * keeps + tookMs * (1 - keeps);
    this.latencyAtMs = nowMs;
  }
}

const DECAY_MS = 10_000;

export function addressKey({ host, ip, port }: Pick<AddressFacts, 'host' | 'ip' | 'port'>): string {
  return `${host} ${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}
