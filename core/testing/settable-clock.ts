/** Time for queues and timers of a plugin under test: it goes on when the test says so. */
import type { BackgroundClock } from '../sandbox/background-clock.ts';

export interface SettableClock extends BackgroundClock {
  /** When something is due next; undefined while nothing is. */
  nextAtMs(): number | undefined;
  /** Runs what is due meanwhile, in order. */
  advance(ms: number): void;
}

export function createSettableClock(): SettableClock {
  let nowMs = 0;
  const due = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    nowMs: () => nowMs,
    after(ms, run) {
      const entry = { atMs: nowMs + ms, run };
      due.add(entry);
      return () => due.delete(entry);
    },
    nextAtMs: () => [...due].map(({ atMs }) => atMs).sort((a, b) => a - b)[0],
    advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [next] = [...due].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        due.delete(next);
        nowMs = next.atMs;
        next.run();
      }
      nowMs = endMs;
    },
  };
}
