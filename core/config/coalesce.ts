/** Runs a job as often as it takes for every caller to be served by a run that began after the call. */

/**
 * One run is under way at a time, and all who call meanwhile share the next one. Rejects as that run does; a run that
 * fails does not stop the next.
 */
export function coalesce(run: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= underWay
      .catch(() => {})
      .then(() => {
        next = undefined;
        underWay = run();
        return underWay;
      });
    return next;
  };
}
