/** Counters in Redis that are exact at each call: reading is counting, whoever else counts at the same time. */
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import type { RedisConnection } from './redis-connection.ts';
import { TAKE_SCRIPT } from './redis-scripts.ts';

const LONGEST_LIFETIME_SECONDS = 10 * 366 * 86_400;

/** Counts `cost` in every window, full or not, and resolves to the use of each before. */
export async function takeInRedis(
  connection: RedisConnection,
  windows: readonly WindowArgument[],
  cost: number,
): Promise<readonly number[]> {
  const nowMs = Date.now();
  const run = async (part: readonly WindowArgument[]): Promise<readonly number[]> => {
    const keys = part.map(({ key }) => key);
    const lifetimes = part.map(({ expiresAtMs }) => lifetimeSeconds(expiresAtMs, nowMs));
    const reply = await connection.run(TAKE_SCRIPT, keys, [cost, ...lifetimes]);
    return usesOf(reply, part.length, connection);
  };
  // A window is counted in whatever happens to the others, so one script for each is as good where it has to be.
  if (!connection.isCluster) return run(windows);
  return (await Promise.all(windows.map((window) => run([window])))).flat();
}

/** Whatever answers on that port: what is no count of these windows decides nothing. */
function usesOf(reply: unknown, count: number, { server }: RedisConnection): readonly number[] {
  const uses = Array.isArray(reply)
    ? reply.map((used: unknown) => (used === null ? Number.NaN : Number(used)))
    : [];
  if (uses.length !== count || !uses.every(Number.isFinite)) {
    throw new Error(`Redis ${server} answers with something else than counts`);
  }
  return uses;
}

/** The window's whole length at its first hit: what has passed since the caller looked at the clock is not taken off. */
function lifetimeSeconds(expiresAtMs: number, nowMs: number): number {
  const seconds = Math.ceil((expiresAtMs - nowMs) / 1000);
  return Math.min(LONGEST_LIFETIME_SECONDS, Math.max(1, seconds));
}
