/** Request ids: 32 lower-case hex digits, random, made in bulk because asking for randomness has a price per call. */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const ID_DIGITS = ID_BYTES * 2;
const IDS_PER_POOL = 256;

const randomBytes = Buffer.allocUnsafeSlow(ID_BYTES * IDS_PER_POOL);
let pool = '';
let next = 0;

/** A new id; unique as far as 128 random bits go. Source: contract/proxy.md, *RID*. */
export function createRequestId(): string {
  if (next === pool.length) {
    pool = randomFillSync(randomBytes).toString('hex');
    next = 0;
  }
  const start = next;
  next += ID_DIGITS;
  return pool.slice(start, next);
}
