/** Everything the plugins of one lane do without a request: their queues, their timers, and hearing of configurations. */
import { decodePair, encodePair, MAX_ENTRY_BYTES } from '../../sdk/protocol/background.ts';
import { HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { BackgroundManifest, PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestError, LogLine } from '../../sdk/protocol/phase-result.ts';
import type { Instance } from '../../sdk/protocol/plan.ts';
import type { StepListener } from './active-call.ts';
import type { BackgroundClock } from './background-clock.ts';
import { EntryQueue, type QueueOwner, readQueueSettings } from './entry-queue.ts';

/** Of all queues of a lane, in bytes: beyond, the oldest entries of the queue that grows go. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** What an instance has left behind when it is deleted gets this long. */
const RETIREMENT_MS = 10_000;
/** Drops are logged at once, and then only so often. */
const DROP_LOG_PAUSE_MS = 10_000;

export interface BackgroundSurroundings {
  readonly clock: BackgroundClock;
  /** Starts a call in the isolate. */
  start(kind: string, payload: string, listener: StepListener): void;
  /** A frame that is no call. */
  tell(kind: string, payload: string): void;
  onLogLines(lines: readonly LogLine[]): void;
}

export class BackgroundWork implements QueueOwner {
  readonly clock: BackgroundClock;
  isResting = false;
  /** Entries dropped since the lane was made. */
  dropped = 0;
  readonly #surroundings: BackgroundSurroundings;
  /** By plugin. */
  readonly #manifests: ReadonlyMap<string, BackgroundManifest>;
  readonly #queues = new Map<string, EntryQueue>();
  readonly #timers = new Map<string, () => void>();
  /** By id: those of the newest configuration whose plugins take batches. */
  #instances: ReadonlyMap<string, Instance> = new Map();
  #heldBytes = 0;
  /** `configure` has ended an isolate: it is not called again before there is another configuration. */
  #isConfigureShunned = false;
  readonly #unloggedDrops = new Map<string, number>();
  #onDrained: (() => void) | undefined;

  /** Undefined for a package that does nothing of the kind. */
  static of(manifest: PackageManifest, surroundings: BackgroundSurroundings): BackgroundWork | undefined {
    const manifests = new Map(
      manifest.plugins.flatMap(({ name, background }) =>
        background === undefined ? [] : [[name, background] as const],
      ),
    );
    return manifests.size === 0 ? undefined : new BackgroundWork(manifests, surroundings);
  }

  private constructor(
    manifests: ReadonlyMap<string, BackgroundManifest>,
    surroundings: BackgroundSurroundings,
  ) {
    this.#manifests = manifests;
    this.#surroundings = surroundings;
    this.clock = surroundings.clock;
  }

  get queued(): number {
    let queued = 0;
    for (const queue of this.#queues.values()) queued += queue.size;
    return queued;
  }

  /** The guest has been given a configuration with these instances. */
  configure(instances: readonly Instance[]): void {
    const batchers = instances.filter(({ plugin }) => this.#manifests.get(plugin)?.takesBatches === true);
    const before = this.#instances;
    this.#instances = new Map(batchers.map((instance) => [instance.id, instance]));
    for (const [id, { config }] of this.#instances)
      this.#queues.get(id)?.change(readQueueSettings(config['queue']));
    for (const id of before.keys()) if (!this.#instances.has(id)) this.#retire(id);
    this.#setTimers(
      new Set(instances.flatMap(({ plugin, problem }) => (problem === undefined ? [plugin] : []))),
    );
    this.#isConfigureShunned = false;
    this.#tellConfigured();
  }

  /** The isolate is another one. */
  onRebuilt(): void {
    if (!this.#isConfigureShunned) this.#tellConfigured();
  }

  /** An entry as the guest tells it. Throws RangeError on one that a runtime of ours would not have sent. */
  push(payload: string): void {
    const [id, json] = decodePair(payload);
    const instance = this.#instances.get(id);
    const queue = this.#queues.get(id) ?? (instance && this.#createQueue(instance));
    // Whatever it was that the request began with is deleted and its queue empty.
    if (queue === undefined) return;
    if (json.length > MAX_ENTRY_BYTES) throw new RangeError('an entry of a queue is too long');
    queue.push(json);
    while (this.#heldBytes > MAX_HELD_BYTES && queue.dropOldest('the queues of the package are too large'));
  }

  /** While the package may not run. */
  rest(isResting: boolean): void {
    this.isResting = isResting;
    if (!isResting) for (const queue of this.#queues.values()) queue.wake();
  }

  /** Hands over everything now; `done` is called once it is, or the time is up. */
  drain(timeoutMs: number, done: () => void): void {
    const stop = this.clock.after(timeoutMs, () => this.#onDrained?.());
    this.#onDrained = () => {
      this.#onDrained = undefined;
      stop();
      done();
    };
    for (const queue of [...this.#queues.values()]) queue.drain();
    if (this.#queues.size === 0) this.#onDrained?.();
  }

  dispose(): void {
    for (const stop of this.#timers.values()) stop();
    this.#timers.clear();
    for (const queue of this.#queues.values()) queue.discard('the gateway no longer runs the package');
    this.#queues.clear();
  }

  send(queue: EntryQueue, entries: string, done: (failure: string | undefined) => void): void {
    const payload = encodePair(queue.instanceId, entries);
    const fail = (failure: string) => {
      this.#log('warn', queue.plugin, `onBatch failed: ${failure}`);
      done(failure);
    };
    this.#surroundings.start(
      HOST_FRAMES.batch,
      payload,
      listenTo(() => done(undefined), fail),
    );
  }

  onDropped({ plugin, instanceId }: EntryQueue, count: number, reason: string): void {
    this.dropped += count;
    const known = this.#unloggedDrops.get(instanceId);
    this.#unloggedDrops.set(instanceId, (known ?? 0) + count);
    if (known !== undefined) return;
    const log = () => {
      const drops = this.#unloggedDrops.get(instanceId) ?? 0;
      if (drops > 0)
        this.#log('err', plugin, `${drops} entries of the queue of ${instanceId} dropped: ${reason}`);
      return drops;
    };
    const again = () => {
      this.#unloggedDrops.set(instanceId, 0);
      this.clock.after(DROP_LOG_PAUSE_MS, () => {
        if (log() > 0) again();
        else this.#unloggedDrops.delete(instanceId);
      });
    };
    log();
    again();
  }

  onHeld(bytes: number): void {
    this.#heldBytes += bytes;
  }

  onEmpty(queue: EntryQueue): void {
    const { instanceId } = queue;
    if (this.#instances.has(instanceId) && this.#onDrained === undefined) return;
    this.#queues.delete(instanceId);
    if (!this.#instances.has(instanceId)) this.#surroundings.tell(HOST_FRAMES.forget, instanceId);
    if (this.#queues.size === 0) this.#onDrained?.();
  }

  #createQueue({ id, plugin, config }: Instance): EntryQueue {
    const queue = new EntryQueue(id, plugin, readQueueSettings(config['queue']), this);
    this.#queues.set(id, queue);
    return queue;
  }

  #retire(id: string): void {
    const queue = this.#queues.get(id);
    if (queue === undefined) {
      this.#surroundings.tell(HOST_FRAMES.forget, id);
      return;
    }
    queue.drain();
    this.clock.after(RETIREMENT_MS, () => {
      if (this.#instances.has(id) || this.#queues.get(id) !== queue) return;
      queue.discard('its plugin is deleted');
      this.onEmpty(queue);
    });
  }

  /** `plugins`: those that have an instance which can run. */
  #setTimers(plugins: ReadonlySet<string>): void {
    for (const [plugin, { timers }] of this.#manifests) {
      for (const [position, everyMs] of timers.entries()) {
        const key = encodePair(plugin, String(position));
        const stop = this.#timers.get(key);
        if (plugins.has(plugin)) {
          if (stop === undefined) this.#arm(plugin, key, everyMs);
        } else {
          stop?.();
          this.#timers.delete(key);
        }
      }
    }
  }

  #arm(plugin: string, key: string, everyMs: number): void {
    let isBusy = false;
    const rearm = () => {
      this.#timers.set(key, this.clock.after(everyMs, tick));
    };
    const tick = () => {
      rearm();
      if (isBusy || this.isResting) return;
      isBusy = true;
      const end = (failure?: string) => {
        isBusy = false;
        if (failure !== undefined) this.#log('err', plugin, `timer failed: ${failure}`);
      };
      this.#surroundings.start(HOST_FRAMES.timer, key, listenTo(end, end));
    };
    rearm();
  }

  #tellConfigured(): void {
    if (![...this.#manifests.values()].some(({ configures }) => configures)) return;
    this.#surroundings.start(HOST_FRAMES.configured, '', {
      onStepDone: () => {},
      onStepFailed: () => {},
      // Where there is no isolate it is told as soon as there is one.
      onPhaseFailure: (reason) => {
        this.#isConfigureShunned = reason !== 'unavailable';
      },
    });
  }

  #log(level: LogLine['level'], plugin: string, message: string): void {
    this.#surroundings.onLogLines([{ level, plugin, requestId: '', message }]);
  }
}

function listenTo(done: () => void, fail: (failure: string) => void): StepListener {
  return {
    onStepDone: () => done(),
    onStepFailed: ({ name, message, stack }: GuestError) => fail(`${name}: ${message}\n${stack}`),
    onPhaseFailure: (reason, detail) => fail(`${reason}: ${detail}`),
  };
}
