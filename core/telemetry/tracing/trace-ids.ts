/** Ids of traces and spans: random lower-case hex, made in bulk because asking for randomness has a price per call. */
import { randomFillSync } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const POOL_DIGITS = 8192;
const ONLY_ZEROS = /^0+$/;

const randomBytes = Buffer.allocUnsafeSlow(POOL_DIGITS / 2);
let pool = '';
let next = 0;

export function createTraceId(): string {
  return takeDigits(TRACE_DIGITS);
}

export function createSpanId(): string {
  return takeDigits(SPAN_DIGITS);
}

function takeDigits(count: number): string {
  if (next + count > pool.length) {
    pool = randomFillSync(randomBytes).toString('hex');
    next = 0;
  }
  const id = pool.slice(next, next + count);
  next += count;
  // All zeros means "no id" in every format.
  return ONLY_ZEROS.test(id) ? takeDigits(count) : id;
}
