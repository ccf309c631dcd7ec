/** What runs inside Redis: each script is atomic, and one call of it is one request's share of a round trip. */
import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly text: string;
  /** What EVALSHA calls it. */
  readonly sha: string;
}

const scriptOf = (text: string): RedisScript => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
});

/**
 * Counts ARGV[1] in every key and answers with the use of each before. A counter that begins gets the lifetime of its
 * window, ARGV[2] onwards in seconds. Nothing is counted with 0, which would make counters that never end.
 */
export const TAKE_SCRIPT = scriptOf(`
local cost = tonumber(ARGV[1])
local used = {}
for at, key in ipairs(KEYS) do
  if cost == 0 then
    used[at] = tonumber(redis.call('GET', key) or '0')
  else
    local value = redis.call('INCRBY', key, cost)
    if value == cost then redis.call('EXPIRE', key, ARGV[at + 1]) end
    used[at] = value - cost
  end
end
return used
`);

/** Adds ARGV[1] to a counter; one that did not exist ends at ARGV[2], in seconds since the epoch. */
export const ADD_SCRIPT = scriptOf(`
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if value == tonumber(ARGV[1]) then redis.call('EXPIREAT', KEYS[1], ARGV[2]) end
return value
`);
