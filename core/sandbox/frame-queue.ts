/**
 * Frames on their way into an isolate. They are gathered and cross together; records of the log, which nobody waits for, may
 * wait for company. For a while after a crossing was cut short, what is for a call that is suspected crosses by itself.
 */
import { HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { QueuedFrame } from './queued-frame.ts';

const MAX_WAITING_LOGS = 128;
const LOG_PAUSE_MS = 10;
/** For so long it is looked whether frames are for calls that are suspected. */
const SUSPICION_MS = 10_000;

export class FrameQueue {
  readonly #onLogsDue: () => void;
  #frames: QueuedFrame[] = [];
  #logs = 0;
  #logTimer: NodeJS.Timeout | undefined;
  /** Until then calls that were run again may be under way. */
  #suspiciousUntilMs = 0;

  /** `onLogsDue`: records have waited long enough. */
  constructor(onLogsDue: () => void) {
    this.#onLogsDue = onLogsDue;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Something is in it that should not wait for company, as log records can. */
  get isAwaited(): boolean {
    return this.#frames.length > this.#logs;
  }

  push(frame: QueuedFrame): void {
    this.#frames.push(frame);
  }

  /** Nobody waits for a record: it travels with the next call, or with others when there are enough or time is up. */
  pushLog(frame: QueuedFrame): void {
    this.#frames.push(frame);
    if (++this.#logs >= MAX_WAITING_LOGS) this.#onLogsDue();
    else this.#logTimer ??= setTimeout(this.#sendLogs, LOG_PAUSE_MS).unref();
  }

  /** What may cross next. */
  take(): QueuedFrame[] {
    if (this.#suspiciousUntilMs > 0) {
      const count = this.#countTogether();
      if (count < this.#frames.length) {
        const taken = this.#frames.splice(0, count);
        this.#logs = this.#frames.filter(({ call }) => call?.kind === HOST_FRAMES.log).length;
        return taken;
      }
    }
    return this.takeAll();
  }

  takeAll(): QueuedFrame[] {
    const taken = this.#frames;
    this.#frames = [];
    this.#logs = 0;
    return taken;
  }

  /** They were taken, and have not begun. */
  putBack(frames: readonly QueuedFrame[]): void {
    this.#frames.unshift(...frames);
  }

  /** Replies and cancellations are for calls of an isolate that is gone: their numbers may come again in the new one. */
  keepStarts(): void {
    this.#frames = this.#frames.filter(({ isStart }) => isStart);
  }

  /** A copy. */
  list(): readonly QueuedFrame[] {
    return [...this.#frames];
  }

  becomeSuspicious(): void {
    this.#suspiciousUntilMs = Date.now() + SUSPICION_MS;
  }

  dispose(): void {
    clearTimeout(this.#logTimer);
  }

  /** A frame for a suspect is alone, so that there is no doubt whose doing it is. */
  #countTogether(): number {
    if (Date.now() > this.#suspiciousUntilMs) {
      this.#suspiciousUntilMs = 0;
      return this.#frames.length;
    }
    const suspect = this.#frames.findIndex(
      ({ call }) => call !== undefined && (call.retries > 0 || call.isOnce),
    );
    return suspect < 0 ? this.#frames.length : Math.max(1, suspect);
  }

  readonly #sendLogs = (): void => {
    this.#logTimer = undefined;
    if (this.#logs > 0) this.#onLogsDue();
  };
}
