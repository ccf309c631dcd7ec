/** The time by which queues and timers of plugins go. Tests put one of theirs in its place. */
export interface BackgroundClock {
  /** In ms; only differences count. */
  nowMs(): number;
  /** Keeps no process alive. The function returned has it not happen. */
  after(ms: number, run: () => void): () => void;
}

export const REAL_CLOCK: BackgroundClock = {
  nowMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
