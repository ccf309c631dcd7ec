/**
 * What one instance of a plugin has queued. It lives in the host, where neither its bounds nor its clock depend on the
 * plugin, and survives the isolate; a worker that ends without being asked to takes it along.
 */
import { DEFAULT_QUEUE, type QueueSettings } from '../../sdk/protocol/background.ts';
import type { BackgroundClock } from './background-clock.ts';

const SECOND_MS = 1000;
/** A batch is cut short here, whatever `max_batch_size` says: it has to fit into an isolate. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** With `concurrency_limit` -1. */
const MAX_CONCURRENCY = 64;
/** A package that may not run now is asked again this much later. */
const RESTING_PAUSE_MS = 1000;

export interface QueueOwner {
  readonly clock: BackgroundClock;
  /** Nothing may be sent now; `wake` is called when that is over. */
  readonly isResting: boolean;
  /** Gives a batch, a JSON array, to the plugin. `done` is called once, with what went wrong. */
  send(queue: EntryQueue, entries: string, done: (failure: string | undefined) => void): void;
  onDropped(queue: EntryQueue, count: number, reason: string): void;
  /** Bytes held have changed by so many. */
  onHeld(bytes: number): void;
  /** Nothing is held any more. */
  onEmpty(queue: EntryQueue): void;
}

interface Batch {
  readonly entries: readonly Buffer[];
  readonly startedAtMs: number;
  retryMs: number;
}

export class EntryQueue {
  readonly instanceId: string;
  readonly plugin: string;
  readonly #owner: QueueOwner;
  #settings: QueueSettings;
  /** From `#first` on; what is in front of it is gone. */
  #entries: Buffer[] = [];
  #first = 0;
  #waitingBytes = 0;
  readonly #underWay = new Set<Batch>();
  #stopWaiting: (() => void) | undefined;
  readonly #retries = new Map<Batch, () => void>();
  #isDraining = false;

  constructor(instanceId: string, plugin: string, settings: QueueSettings, owner: QueueOwner) {
    this.instanceId = instanceId;
    this.plugin = plugin;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Entries held, those of batches under way included. */
  get size(): number {
    let size = this.#waiting;
    for (const { entries } of this.#underWay) size += entries.length;
    return size;
  }

  get #waiting(): number {
    return this.#entries.length - this.#first;
  }

  change(settings: QueueSettings): void {
    this.#settings = settings;
    this.#isDraining = false;
  }

  /** `json`: of one entry. */
  push(json: string): void {
    // A copy: the text may be a part of a far larger one.
    const entry = Buffer.from(json, 'utf8');
    this.#entries.push(entry);
    this.#hold(entry.length);
    const { max_entries, max_bytes } = this.#settings;
    let dropped = 0;
    while (this.#waiting > max_entries || (max_bytes !== null && this.#waitingBytes > max_bytes)) {
      this.#take();
      dropped++;
    }
    if (dropped > 0) this.#owner.onDropped(this, dropped, 'the queue is full');
    this.wake();
  }

  /** Makes room: the oldest entry goes. False when none is waiting. */
  dropOldest(reason: string): boolean {
    if (this.#waiting === 0) return false;
    this.#take();
    this.#owner.onDropped(this, 1, reason);
    return true;
  }

  /** From now on nothing waits for company. */
  drain(): void {
    this.#isDraining = true;
    this.wake();
    if (this.size === 0) this.#owner.onEmpty(this);
  }

  /** Sends what is due. */
  wake(): void {
    const { max_batch_size, max_coalescing_delay, concurrency_limit } = this.#settings;
    const limit = concurrency_limit === 1 ? 1 : MAX_CONCURRENCY;
    while (this.#waiting > 0 && this.#underWay.size < limit && !this.#owner.isResting) {
      const isDue = this.#isDraining || this.#waiting >= max_batch_size || max_coalescing_delay === 0;
      if (!isDue) {
        this.#stopWaiting ??= this.#owner.clock.after(
          max_coalescing_delay * SECOND_MS,
          this.#sendWhatThereIs,
        );
        return;
      }
      this.#sendNext();
    }
  }

  /** Lets go of everything. */
  discard(reason: string): void {
    const { size } = this;
    this.#stopWaiting?.();
    for (const stop of this.#retries.values()) stop();
    this.#retries.clear();
    for (const { entries } of this.#underWay) this.#owner.onHeld(-bytesOf(entries));
    this.#underWay.clear();
    while (this.#waiting > 0) this.#take();
    if (size > 0) this.#owner.onDropped(this, size, reason);
  }

  readonly #sendWhatThereIs = (): void => {
    this.#stopWaiting = undefined;
    const limit = this.#settings.concurrency_limit === 1 ? 1 : MAX_CONCURRENCY;
    if (this.#owner.isResting || this.#underWay.size >= limit) return;
    if (this.#waiting > 0) this.#sendNext();
    this.wake();
  };

  #sendNext(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    const entries: Buffer[] = [];
    let bytes = 0;
    while (entries.length < this.#settings.max_batch_size && this.#waiting > 0) {
      const next = this.#entries[this.#first] as Buffer;
      if (entries.length > 0 && bytes + next.length > MAX_BATCH_BYTES) break;
      bytes += next.length;
      entries.push(this.#take());
    }
    const { initial_retry_delay } = this.#settings;
    const batch = {
      entries,
      startedAtMs: this.#owner.clock.nowMs(),
      retryMs: initial_retry_delay * SECOND_MS,
    };
    this.#owner.onHeld(bytes);
    this.#underWay.add(batch);
    this.#send(batch);
  }

  #send(batch: Batch): void {
    let text = '[';
    for (const [at, entry] of batch.entries.entries()) text += (at === 0 ? '' : ',') + entry.toString('utf8');
    this.#owner.send(this, `${text}]`, (failure) => {
      if (!this.#underWay.has(batch)) return;
      if (failure === undefined) this.#end(batch);
      else this.#retry(batch, failure);
    });
  }

  #retry(batch: Batch, failure: string): void {
    const { max_retry_time, max_retry_delay } = this.#settings;
    const { clock } = this.#owner;
    if (clock.nowMs() + batch.retryMs - batch.startedAtMs > max_retry_time * SECOND_MS) {
      this.#owner.onDropped(this, batch.entries.length, `given up after ${max_retry_time} s: ${failure}`);
      this.#end(batch);
      return;
    }
    this.#retries.set(
      batch,
      clock.after(batch.retryMs, () => this.#sendAgain(batch)),
    );
    batch.retryMs = Math.min(batch.retryMs * 2, max_retry_delay * SECOND_MS);
  }

  #sendAgain(batch: Batch): void {
    this.#retries.delete(batch);
    const { clock, isResting } = this.#owner;
    if (isResting)
      this.#retries.set(
        batch,
        clock.after(RESTING_PAUSE_MS, () => this.#sendAgain(batch)),
      );
    else this.#send(batch);
  }

  #end(batch: Batch): void {
    this.#underWay.delete(batch);
    this.#owner.onHeld(-bytesOf(batch.entries));
    this.wake();
    if (this.size === 0) this.#owner.onEmpty(this);
  }

  #take(): Buffer {
    const entry = this.#entries[this.#first++] as Buffer;
    this.#waitingBytes -= entry.length;
    this.#owner.onHeld(-entry.length);
    if (this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return entry;
  }

  #hold(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#owner.onHeld(bytes);
  }
}

function bytesOf(entries: readonly Buffer[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.length;
  return bytes;
}

/** Of a configuration's member `queue`: what is absent or no number is as Kong has it. */
export function readQueueSettings(given: unknown): QueueSettings {
  const members = (typeof given === 'object' && given !== null ? given : {}) as Partial<
    Record<keyof QueueSettings, unknown>
  >;
  const read = (name: Exclude<keyof QueueSettings, 'max_bytes'>): number => {
    const value = members[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : DEFAULT_QUEUE[name];
  };
  const { max_bytes } = members;
  return {
    max_batch_size: Math.max(1, read('max_batch_size')),
    max_coalescing_delay: read('max_coalescing_delay'),
    max_entries: read('max_entries'),
    max_bytes: typeof max_bytes === 'number' ? max_bytes : null,
    max_retry_time: read('max_retry_time'),
    initial_retry_delay: Math.max(0.001, read('initial_retry_delay')),
    max_retry_delay: Math.max(0.001, read('max_retry_delay')),
    concurrency_limit: read('concurrency_limit'),
  };
}
