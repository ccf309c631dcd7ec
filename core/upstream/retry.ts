/**
 * Decides whether a failed attempt at an upstream may be followed by another one. Pure: the table of
 * contract/proxy.md section 7.2 and nothing else.
 */
import { ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';

/** What is known of an attempt that failed before a complete response head. */
export interface FailedAttempt {
  readonly code: ErrorCode;
  readonly method: string;
  /** Any part of the request may have reached the upstream. */
  readonly requestSent: boolean;
  /** There is no body, nothing of it has been read, or its first byte is still held. */
  readonly bodyCanReplay: boolean;
  /** The connection had served a request before. */
  readonly reusedConnection: boolean;
  /** At least one byte of a response was received. */
  readonly responseStarted: boolean;
}

/** 'free': another attempt that uses up no try. 'counted': another attempt if a try is left. 'none': give up. */
export type RetryDecision = 'free' | 'counted' | 'none';

/** Repeating these may do a thing twice. */
const UNREPEATABLE_METHODS: ReadonlySet<string> = new Set(['POST', 'LOCK', 'PATCH']);

export function decideRetry(attempt: FailedAttempt): RetryDecision {
  if (!ERROR_CATALOGUE[attempt.code].retryable) return 'none';
  if (!attempt.requestSent) return 'counted';
  if (UNREPEATABLE_METHODS.has(attempt.method) || !attempt.bodyCanReplay) return 'none';
  // The upstream closed an idle connection while our request was on its way: nobody's failure.
  if (attempt.reusedConnection && attempt.code === 'GW_UPSTREAM_CLOSED' && !attempt.responseStarted)
    return 'free';
  return 'counted';
}
