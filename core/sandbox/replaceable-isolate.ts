/** The isolate of a package, its successor when it dies, and what outlives it: configuration and statistics. */
import type { PackageBundle } from './bundle-package.ts';
import type { IsolateLimits } from './isolate-limits.ts';
import { PluginIsolate } from './plugin-isolate.ts';

/** After failing to load, an isolate is tried again this much later, and then twice as much later each time. */
const FIRST_RELOAD_PAUSE_MS = 1000;
const MAX_RELOAD_PAUSE_MS = 60_000;

export interface IsolateOwner {
  /** The guest speaks; what is returned it hears at once. Must not throw. */
  onSaid(text: string): string;
  /** There is a successor, which holds all configurations. */
  onReplaced(): void;
  /** A successor could not be loaded. */
  onUnavailable(detail: string): void;
  onCatastrophe(message: string): void;
  onEnter?(): void;
  onLeave?(): void;
}

export class ReplaceableIsolate {
  readonly #bundle: PackageBundle;
  readonly #limits: IsolateLimits;
  readonly #owner: IsolateOwner;
  /** By generation, as JSON: a successor is told them again. */
  readonly #configurations = new Map<number, string>();
  #current: PluginIsolate | undefined;
  #rebuilds = 0;
  #spentCpuNs = 0n;
  #isClosed = false;
  #reloadPauseMs = FIRST_RELOAD_PAUSE_MS;

  /** Throws CrossingError when the bundle does not load. */
  constructor(bundle: PackageBundle, limits: IsolateLimits, owner: IsolateOwner) {
    this.#bundle = bundle;
    this.#limits = limits;
    this.#owner = owner;
    this.#current = this.#create();
  }

  /** Undefined while none can be loaded. */
  get current(): PluginIsolate | undefined {
    return this.#current;
  }

  get rebuilds(): number {
    return this.#rebuilds;
  }

  /** CPU time of this one and of those before it, in nanoseconds. */
  get cpuTimeNs(): bigint {
    return this.#spentCpuNs + (this.#current?.cpuTimeNs ?? 0n);
  }

  /** Throws CrossingError when the guest cannot take it. */
  configure(generation: number, json: string): void {
    this.#current?.call('configure', json);
    this.#configurations.set(generation, json);
  }

  /** False when it was not known. */
  forgetConfiguration(generation: number): boolean {
    return this.#configurations.delete(generation);
  }

  /** Everything in the isolate is lost. When there can be no successor now, it is tried again from time to time. */
  replace(cause: Error): void {
    if (this.#isClosed) return;
    this.#rebuilds++;
    this.#spentCpuNs += this.#current?.cpuTimeNs ?? 0n;
    this.#current?.dispose();
    try {
      this.#current = this.#create();
      this.#reloadPauseMs = FIRST_RELOAD_PAUSE_MS;
      this.#owner.onReplaced();
    } catch (error) {
      this.#current = undefined;
      this.#owner.onUnavailable(`${cause.message}; then ${String(error)}`);
      setTimeout(() => this.replace(cause), this.#reloadPauseMs).unref();
      this.#reloadPauseMs = Math.min(this.#reloadPauseMs * 2, MAX_RELOAD_PAUSE_MS);
    }
  }

  dispose(): void {
    this.#isClosed = true;
    this.#current?.dispose();
  }

  #create(): PluginIsolate {
    const isolate = new PluginIsolate(this.#bundle, this.#limits, this.#owner);
    for (const json of this.#configurations.values()) isolate.call('configure', json);
    return isolate;
  }
}
