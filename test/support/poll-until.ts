/** Waits for a condition instead of for a time. */

const POLL_MS = 10;
const DEADLINE_MS = 30_000;

/** Resolves to the first value that `isDone` accepts. Throws with the last one when none comes; `what` says what it is. */
export async function pollUntil<Value>(
  what: string,
  probe: () => Promise<Value> | Value,
  isDone: (value: Value) => boolean,
): Promise<Value> {
  const deadlineMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await probe();
    if (isDone(value)) return value;
    if (Date.now() > deadlineMs) throw new Error(`${what}: still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
