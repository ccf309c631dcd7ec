/**
 * Counting that is not repeated. A call that was cut short through no fault of its own is run again from its start,
 * and asks again to have counted what has been counted: it gets the reply of the first time.
 */

/** Kept with a call, across its runs. The first take lies in fields: nearly every call makes one and is run once. */
export interface TakeMemory {
  /** How often the call was run again. */
  readonly retries: number;
  /** Name and argument of the first take. */
  takeName?: string | undefined;
  takeArgument?: string | undefined;
  /** What it was answered, or will be. */
  takeReply?: unknown;
  /** The run in which `takeReply` was given out last. */
  takeRun?: number | undefined;
  laterTakes?: LaterTake[] | undefined;
}

interface LaterTake {
  readonly name: string;
  readonly argument: string;
  readonly reply: unknown;
  run: number;
}

/** The reply that an earlier run of the call got to the same take; undefined where this one is to be counted. */
export function recallTake(memory: TakeMemory, name: string, argument: string): unknown {
  const { retries } = memory;
  if (retries === 0) return undefined;
  const isFirst =
    memory.takeName === name &&
    memory.takeRun !== retries &&
    memory.takeArgument !== undefined &&
    isSameTake(memory.takeArgument, argument);
  // In each run a reply is given out once: a plugin may count in the same windows again and again.
  if (isFirst) {
    memory.takeRun = retries;
    return memory.takeReply;
  }
  const later = memory.laterTakes?.find(
    (take) => take.run < retries && take.name === name && isSameTake(take.argument, argument),
  );
  if (later === undefined) return undefined;
  later.run = retries;
  return later.reply;
}

export function rememberTake(memory: TakeMemory, name: string, argument: string, reply: unknown): void {
  const run = memory.retries;
  if (memory.takeName !== undefined) {
    memory.laterTakes ??= [];
    memory.laterTakes.push({ name, argument, reply, run });
    return;
  }
  memory.takeName = name;
  memory.takeArgument = argument;
  memory.takeReply = reply;
  memory.takeRun = run;
}

/** The clock has gone on between two runs, so that times of expiry differ: every third line behind the cost. */
function isSameTake(first: string, second: string): boolean {
  if (first === second) return true;
  const [a, b] = [first.split('\n'), second.split('\n')];
  if (a.length !== b.length) return false;
  // Store and cost, or the cost alone, stand before the windows of three lines each.
  const before = a.length % 3 === 2 ? 2 : 1;
  return a.every((line, at) => line === b[at] || (at >= before && (at - before) % 3 === 2));
}
