/** The host of an isolate under test: rows and counters in memory. */
import type { SharedCounterStore } from '../../sdk/protocol/counter-store.ts';
import type { FetchArgument, FetchReply } from '../../sdk/protocol/fetch.ts';
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import type { TestCounterStore, TestCounters, TestRows } from '../../sdk/testing/kit.ts';
import { digest } from '../crypto/digest.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import type { HostServices } from '../sandbox/host-calls.ts';
import type { MemoryServers } from './memory-servers.ts';

type Row = Readonly<Record<string, unknown>>;

interface Counter {
  readonly uses: number;
  readonly expiresAtMs: number;
}

const NODE = {
  id: '00000000-0000-4000-8000-00000000000a',
  hostname: 'test',
  pid: 1,
  address: '127.0.0.1',
};

export class MemoryHost implements HostServices, TestRows, TestCounters {
  readonly node = NODE;
  readonly crypto = { digest, verifySignature };
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #counters = new Map<string, Counter>();
  readonly #failures = new Map<TestCounterStore, string>();
  readonly #servers: MemoryServers;
  readonly #nowMs: () => number;
  readonly #onRowsChanged: () => void;

  /** `onRowsChanged`: what the guest has cached is old. */
  constructor(servers: MemoryServers, nowMs: () => number, onRowsChanged: () => void) {
    this.#servers = servers;
    this.#nowMs = nowMs;
    this.#onRowsChanged = onRowsChanged;
  }

  fetch(argument: FetchArgument, egress: readonly string[]): Promise<FetchReply> {
    return this.#servers.fetch(argument, egress);
  }

  put(entity: string, row: Row & { readonly id: string }): void {
    const rows = this.#rows.get(entity) ?? new Map<string, Row>();
    this.#rows.set(entity, rows.set(row.id, row));
    this.#onRowsChanged();
  }

  remove(entity: string, id: string): void {
    this.#rows.get(entity)?.delete(id);
    this.#onRowsChanged();
  }

  async findEntity(entity: string, field: string, value: string): Promise<Row | null> {
    return this.#list(entity).find((row) => row[field] === value) ?? null;
  }

  async listEntities(entity: string, field: string, id: string): Promise<readonly Row[]> {
    return this.#list(entity).filter((row) => (row[field] as Row | null | undefined)?.['id'] === id);
  }

  read(key: string, store: TestCounterStore = 'local'): number {
    const counter = this.#counters.get(`${store}\n${key}`);
    return counter === undefined || counter.expiresAtMs <= this.#nowMs() ? 0 : counter.uses;
  }

  fail(store: 'cluster' | 'redis', message: string | undefined): void {
    if (message === undefined) this.#failures.delete(store);
    else this.#failures.set(store, message);
  }

  takeCounters(windows: readonly WindowArgument[], cost: number): readonly number[] {
    return this.#take('local', windows, cost);
  }

  async takeSharedCounters(
    store: SharedCounterStore,
    windows: readonly WindowArgument[],
    cost: number,
  ): Promise<readonly number[]> {
    const failure = this.#failures.get(store.kind);
    if (failure !== undefined) throw new Error(failure);
    return this.#take(store.kind, windows, cost);
  }

  /** As the stores of a gateway do: full windows are counted in by Redis only. */
  #take(store: TestCounterStore, windows: readonly WindowArgument[], cost: number): readonly number[] {
    const used = windows.map(({ key }) => this.read(key, store));
    const isFull = windows.some(({ limit }, at) => (used[at] ?? 0) >= limit);
    if (isFull && store !== 'redis') return used;
    for (const [at, { key, expiresAtMs }] of windows.entries())
      this.#counters.set(`${store}\n${key}`, { uses: (used[at] ?? 0) + cost, expiresAtMs });
    return used;
  }

  #list(entity: string): readonly Row[] {
    return [...(this.#rows.get(entity)?.values() ?? [])];
  }
}
