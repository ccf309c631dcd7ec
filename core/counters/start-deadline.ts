/** A limit on waiting that a busy machine does not exceed by itself. */

/**
 * Calls `onOverdue` after `timeoutMs` unless it is cancelled, by the function returned, before that. An answer that
 * had arrived while the thread was kept from looking is read first.
 */
export function startDeadline(timeoutMs: number, onOverdue: () => void): () => void {
  let look: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // Timers that are due run before what has arrived; this runs after it.
    look = setImmediate(onOverdue);
  }, timeoutMs);
  return () => {
    clearTimeout(timer);
    clearImmediate(look);
  };
}
