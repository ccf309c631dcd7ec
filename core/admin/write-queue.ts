/**
 * One write after another. A write looks before it stores (does the key exist, does the reference resolve), so
 * two at once would see the same gap and one would fail for reasons its client cannot understand. Other nodes
 * write to the same database all the same: its constraints have the last word.
 */
export type WriteQueue = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Runs what it is given in the order of the calls; a failure does not stop the next. */
export function createWriteQueue(): WriteQueue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
