/** How much V8 may allocate before it looks for what is still needed: in workers much, in guests little. */
import { setFlagsFromString } from 'node:v8';

/**
 * Room for the objects of requests under way: in V8's default of 1 MiB many of them are copied while they are still
 * needed. Measured with three plugins: 12 % less CPU a request.
 */
const WORKER_SEMI_SPACE = { leastMb: 16, mostMb: 32 };
/** Enough for what the calls of a turn need. */
const GUEST_SEMI_SPACE = { leastMb: 4, mostMb: 4 };

/** Of the process whose workers run isolates. Helper threads save a worker time, but not the machine. */
export const WORKER_HEAP_FLAGS: readonly string[] = [
  ...semiSpaceFlags(WORKER_SEMI_SPACE),
  '--no-parallel-scavenge',
];

/**
 * Runs `make`, which makes an isolate, while V8's flags are those of a guest; V8 has no other way to tell it. Left
 * with the young generation of a worker, a guest came to its memory limit every second, since the library counts
 * what is not collected yet, and at the limit it collects everything, optimised code included (measured with three
 * plugins: a sixth of the CPU a request).
 */
export function withGuestYoungGeneration<Result>(make: () => Result): Result {
  for (const flag of semiSpaceFlags(GUEST_SEMI_SPACE)) setFlagsFromString(flag);
  try {
    return make();
  } finally {
    for (const flag of semiSpaceFlags(WORKER_SEMI_SPACE)) setFlagsFromString(flag);
  }
}

function semiSpaceFlags({ leastMb, mostMb }: typeof WORKER_SEMI_SPACE): readonly string[] {
  return [`--min-semi-space-size=${leastMb}`, `--max-semi-space-size=${mostMb}`];
}
