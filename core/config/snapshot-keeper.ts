/** Keeps the snapshot file up to date without writing it for every change: soon after the first, then at intervals. */
import { setTimeout as delay } from 'node:timers/promises';

export interface SnapshotKeeper {
  /** What is to be kept has changed. */
  noteChange(): void;
  /** Writes what was noted and not written yet, and no more after that. */
  close(): Promise<void>;
}

/** A burst of writes to the configuration becomes one to the disk. */
const SETTLE_MS = 250;
/** Writing takes at most this share of the time, however large the file is. */
const MAX_SHARE = 0.02;

/** `write` may reject: `onFailure` hears of it, and the next change tries again. */
export function createSnapshotKeeper(
  write: () => Promise<void>,
  onFailure: (error: unknown) => void,
): SnapshotKeeper {
  const closing = new AbortController();
  const { signal } = closing;
  let isDirty = false;
  let underWay: Promise<void> | undefined;

  const writeOnce = async (): Promise<number> => {
    const startedAtMs = performance.now();
    isDirty = false;
    await write().catch(onFailure);
    return performance.now() - startedAtMs;
  };

  const run = async (): Promise<void> => {
    let pauseMs = SETTLE_MS;
    while (isDirty && !signal.aborted) {
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      const tookMs = await writeOnce();
      pauseMs = Math.max(SETTLE_MS, tookMs / MAX_SHARE);
      if (!isDirty && !signal.aborted) {
        // A change that comes during the rest waits for its end, or the share would not hold.
        await delay(pauseMs, undefined, { signal }).catch(() => {});
        pauseMs = 0;
      }
    }
    underWay = undefined;
    if (isDirty && !signal.aborted) start();
  };

  const start = (): void => {
    underWay ??= run();
  };

  return {
    noteChange() {
      isDirty = true;
      if (!signal.aborted) start();
    },
    async close() {
      closing.abort();
      await underWay;
      if (isDirty) await writeOnce();
    },
  };
}
