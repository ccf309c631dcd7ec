/** Work that belongs to no request: queues, timers, changes of configuration. All of it per worker. */
import type { ValueCache } from './cache.ts';
import type { CounterReader } from './counters.ts';
import type { Cryptography } from './crypto.ts';
import type { EntityReader } from './entities.ts';
import type { Fetch } from './fetch.ts';
import type { Logger } from './log.ts';
import type { MetricWriter } from './metrics.ts';
import type { NodeReader } from './node.ts';
import type { IpReader, PluginReader } from './phases.ts';

/** `kong.queue` of an instance whose plugin has `onBatch`: what is to be dealt with later, in batches. */
export interface QueueWriter {
  /**
   * Adds plain data, which crosses as JSON of up to 256 KiB: RangeError beyond, and beyond 100 entries in one call of a
   * handler; TypeError on what is no JSON. The bounds are those of the configuration's `queue` (see `s.queue`); when it
   * is full its oldest entries go, which is counted and logged.
   */
  push(entry: unknown): void;
}

/** What handlers have that run without a request. */
export interface BackgroundKong {
  readonly log: Logger;
  readonly metrics: MetricWriter;
  readonly node: NodeReader;
  readonly ip: IpReader;
  readonly fetch: Fetch;
  readonly cache: ValueCache;
  readonly counters: CounterReader;
  readonly crypto: Cryptography;
  readonly entities: EntityReader;
}

/** `onBatch`: the instance whose entries these are. */
export interface BatchKong extends BackgroundKong {
  readonly plugin: PluginReader;
}

/** Runs in each worker as long as the plugin has an enabled instance; never twice at once: what is due meanwhile is left out. */
export interface Timer<Config> {
  /** From 100 ms to a day. The first run is that much after the first instance. */
  readonly everyMs: number;
  /** `configs`: of the enabled instances. A throw is logged. */
  run(kong: BackgroundKong, configs: readonly Config[]): void | Promise<void>;
}
